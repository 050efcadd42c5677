using static TorchSharp.torch;

namespace DeRa.Torch.Native;

/// <summary>
/// The element type of weight matrices (option <c>--dtype</c>). Our own kernels compute in float32 whatever it is; libtorch's in it.
/// </summary>
public sealed record DTypeOption
{
    private readonly ScalarType? _type;

    private DTypeOption(ScalarType? type, string name) => (_type, Name) = (type, name);

    /// <summary>The checkpoint's own type. The default.</summary>
    public static DTypeOption Auto { get; } = new(null, "auto");

    /// <summary>The value as it is written: auto, float32, bfloat16, float16.</summary>
    public string Name { get; }

    /// <summary>Parses the option's value, ignoring case.</summary>
    /// <exception cref="FormatException">It is none of the allowed values; the message names the option and lists them.</exception>
    public static DTypeOption Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Trim().ToLowerInvariant() switch
        {
            "auto" => Auto,
            "float32" => new DTypeOption(ScalarType.Float32, "float32"),
            "bfloat16" => new DTypeOption(ScalarType.BFloat16, "bfloat16"),
            "float16" => new DTypeOption(ScalarType.Float16, "float16"),
            _ => throw new FormatException($"--dtype: '{text}' is not a type; allowed: auto, float32, bfloat16, float16"),
        };
    }

    /// <summary>The type to use for a checkpoint whose weights are of type <paramref name="checkpoint"/>: for auto, that one.</summary>
    public ScalarType Resolve(ScalarType checkpoint) => _type ?? checkpoint;
}
