using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>Names of the element types that weights are stored in.</summary>
internal static class StoredType
{
    /// <summary>Reads a name.</summary>
    /// <exception cref="LabException">It is none of them.</exception>
    public static ScalarType Parse(string name) => name switch
    {
        "float32" => ScalarType.Float32,
        "bfloat16" => ScalarType.BFloat16,
        _ => throw new LabException($"--dtype is '{name}'; it must be float32 or bfloat16."),
    };
}
