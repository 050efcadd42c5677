using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>The element types that weights may be stored in.</summary>
internal static class StoredTypes
{
    /// <summary>The safetensors names of the types, for messages.</summary>
    public const string Supported = "F32, F16, BF16";

    /// <summary>The type that a safetensors header names, or null where weights of that type are not supported.</summary>
    public static ScalarType? Parse(string? name) => name switch
    {
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        _ => null,
    };

    /// <summary>Bytes an element takes.</summary>
    public static int SizeBytes(ScalarType type) => type == ScalarType.Float32 ? 4 : 2;
}
