using TorchSharp;

namespace DeRa.Torch.Native;

/// <summary>Which code computes matrix products (option <c>--kernels</c>).</summary>
public sealed record KernelsOption
{
    private readonly bool? _areOwn;

    private KernelsOption(bool? areOwn, string name) => (_areOwn, Name) = (areOwn, name);

    /// <summary>Our own on a CPU, libtorch's on a GPU. The default.</summary>
    public static KernelsOption Auto { get; } = new(null, "auto");

    /// <summary>The value as it is written: auto, cpu, torch.</summary>
    public string Name { get; }

    /// <summary>Parses the option's value, ignoring case.</summary>
    /// <exception cref="FormatException">It is none of the allowed values; the message names the option and lists them.</exception>
    public static KernelsOption Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Trim().ToLowerInvariant() switch
        {
            "auto" => Auto,
            "cpu" => new KernelsOption(true, "cpu"),
            "torch" => new KernelsOption(false, "torch"),
            _ => throw new FormatException($"--kernels: '{text}' is no choice of kernels; allowed: auto, cpu, torch"),
        };
    }

    /// <summary>Whether a model on a device uses our own kernels: weights packed for them, activations in float32.</summary>
    /// <exception cref="LibTorchException">Ours are asked for on another device than the CPU.</exception>
    internal bool AreOwn(torch.Device device)
    {
        var isCpu = device.type == DeviceType.CPU;
        if (_areOwn == true && !isCpu) throw new LibTorchException(
            $"--kernels cpu: the device of a model is {device}, and these kernels run on a CPU; use --kernels auto or torch, "
            + "or --device cpu.");
        return _areOwn ?? isCpu;
    }
}
