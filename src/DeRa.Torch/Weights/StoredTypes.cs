using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>The element types that tensors may be stored in: weights, and the masks of old exports, which nobody reads.</summary>
internal static class StoredTypes
{
    /// <summary>The safetensors names of the types of weights, for messages.</summary>
    public const string Supported = "F32, F16, BF16";

    /// <summary>The type that a safetensors header names, or null where tensors of that type are not supported.</summary>
    public static ScalarType? Parse(string? name) => name switch
    {
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        "BOOL" => ScalarType.Bool,
        "U8" => ScalarType.Byte,
        _ => null,
    };

    /// <summary>Whether weights may be of that type.</summary>
    public static bool AreWeights(ScalarType type) => type is ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16;

    /// <summary>Bytes an element takes.</summary>
    public static int SizeBytes(ScalarType type) => type switch
    {
        ScalarType.Float32 => 4,
        ScalarType.Bool or ScalarType.Byte => 1,
        _ => 2,
    };
}
