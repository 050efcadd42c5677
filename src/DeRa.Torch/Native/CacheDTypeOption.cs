using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Native;

/// <summary>The element type of the caches of keys and values (option <c>--cache-dtype</c>).</summary>
public sealed record CacheDTypeOption
{
    private readonly ScalarType? _type;

    private CacheDTypeOption(ScalarType? type, string name) => (_type, Name) = (type, name);

    /// <summary>The type of activations: float32 with our own kernels, else that of the weights. The default.</summary>
    public static CacheDTypeOption Auto { get; } = new(null, "auto");

    /// <summary>The value as it is written: auto, float32, bfloat16, float16.</summary>
    public string Name { get; }

    /// <summary>Parses the option's value, ignoring case.</summary>
    /// <exception cref="FormatException">It is none of the allowed values; the message names the option and lists them.</exception>
    public static CacheDTypeOption Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Trim().ToLowerInvariant() switch
        {
            "auto" => Auto,
            "float32" => new CacheDTypeOption(ScalarType.Float32, "float32"),
            "bfloat16" => new CacheDTypeOption(ScalarType.BFloat16, "bfloat16"),
            "float16" => new CacheDTypeOption(ScalarType.Float16, "float16"),
            _ => throw new FormatException($"--cache-dtype: '{text}' is not a type; allowed: auto, float32, bfloat16, float16"),
        };
    }

    /// <summary>The type of the cache of a model whose activations are of type <paramref name="activations"/>.</summary>
    /// <exception cref="LibTorchException">
    /// Another type is asked for than libtorch computes attention in; our own kernels, where activations are float32, read any.
    /// </exception>
    internal ScalarType Resolve(Device device, ScalarType activations)
    {
        var type = _type ?? activations;
        if (type == activations || (device.type == DeviceType.CPU && activations == ScalarType.Float32)) return type;
        throw new LibTorchException($"--cache-dtype {Name}: a model on {device} is computed by libtorch in "
            + $"{activations.ToString().ToLowerInvariant()}, and its cache has that type too; use --cache-dtype auto"
            + (device.type == DeviceType.CPU ? ", or --kernels auto." : "."));
    }
}
