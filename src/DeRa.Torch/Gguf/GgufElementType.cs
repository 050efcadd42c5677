using TorchSharp;

namespace DeRa.Torch.Gguf;

/// <summary>Element types of GGUF tensors, by the format's numbers.</summary>
internal enum GgufElementType
{
    Float32 = 0,
    Float16 = 1,
    BFloat16 = 30,
}

/// <summary>What the format says of them.</summary>
internal static class GgufElementTypes
{
    /// <summary>The format's type for a type of weights.</summary>
    public static GgufElementType Of(torch.ScalarType type) => type switch
    {
        torch.ScalarType.Float32 => GgufElementType.Float32,
        torch.ScalarType.Float16 => GgufElementType.Float16,
        torch.ScalarType.BFloat16 => GgufElementType.BFloat16,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "weights have no such type"),
    };

    /// <summary>Bytes of an element.</summary>
    public static int SizeBytes(this GgufElementType type) => type == GgufElementType.Float32 ? 4 : 2;

    /// <summary>The value of <c>general.file_type</c> where matrices have this type.</summary>
    public static int FileType(this GgufElementType type) => type switch
    {
        GgufElementType.Float32 => 0,
        GgufElementType.Float16 => 1,
        _ => 32,
    };
}
