using TorchSharp;

namespace DeRa.Torch.Native;

/// <summary>Which code computes matrix products (options <c>--kernels</c> and <c>--prefill-kernel</c>).</summary>
public sealed record KernelsOption
{
    private readonly bool? _areOwn;

    private KernelsOption(bool? areOwn, string name) => (_areOwn, Name) = (areOwn, name);

    /// <summary>Our own on a CPU, libtorch's on a GPU. The default.</summary>
    public static KernelsOption Auto { get; } = new(null, "auto");

    /// <summary>The value as it is written: auto, cpu, torch.</summary>
    public string Name { get; }

    /// <summary>
    /// Whether prompts are multiplied by libtorch where <see cref="AreOwn"/>, over weights widened to float32 piece by piece.
    /// </summary>
    public bool IsPrefillByLibTorch { get; private init; }

    /// <summary>Parses the options' values, ignoring case.</summary>
    /// <param name="text">That of <c>--kernels</c>.</param>
    /// <param name="prefill">That of <c>--prefill-kernel</c>: auto or torch.</param>
    /// <exception cref="FormatException">One is none of the allowed values; the message names the option and lists them.</exception>
    public static KernelsOption Parse(string text, string prefill = "auto")
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(prefill);
        return ParseKernels(text) with
        {
            IsPrefillByLibTorch = prefill.Trim().ToLowerInvariant() switch
            {
                "auto" => false,
                "torch" => true,
                _ => throw new FormatException($"--prefill-kernel: '{prefill}' is no choice of a kernel; allowed: auto, torch"),
            },
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

    private static KernelsOption ParseKernels(string text) => text.Trim().ToLowerInvariant() switch
    {
        "auto" => Auto,
        "cpu" => new KernelsOption(true, "cpu"),
        "torch" => new KernelsOption(false, "torch"),
        _ => throw new FormatException($"--kernels: '{text}' is no choice of kernels; allowed: auto, cpu, torch"),
    };
}
