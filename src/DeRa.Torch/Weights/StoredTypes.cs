using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>
/// The element types of safetensors files, by the format's names. Weights have few of them; ignored tables and masks may have any.
/// </summary>
internal static class StoredTypes
{
    /// <summary>The safetensors names of the types of weights, for messages.</summary>
    public const string Supported = "F32, F16, BF16";

    /// <summary>Bits of an element of the type that a header names, or null where the format has no such type.</summary>
    public static int? BitsOf(string? name) => name switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E4M3" or "F8_E5M2" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "U16" or "I16" or "F16" or "BF16" => 16,
        "U32" or "I32" or "F32" => 32,
        "U64" or "I64" or "F64" or "C64" => 64,
        _ => null,
    };

    /// <summary>The type that a header names, or null where weights may not be of it.</summary>
    public static ScalarType? OfWeights(string name) => name switch
    {
        "F32" => ScalarType.Float32,
        "F16" => ScalarType.Float16,
        "BF16" => ScalarType.BFloat16,
        _ => null,
    };

    /// <summary>Bytes of an element of a type that weights may have.</summary>
    public static int SizeBytes(ScalarType type) => type == ScalarType.Float32 ? 4 : 2;
}
