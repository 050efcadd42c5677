using System.Globalization;
using TorchSharp;

namespace DeRa.Torch.Native;

/// <summary>
/// The devices of the two models (option <c>--device</c>): <c>auto</c> (CUDA, else the CPU), or <c>cpu</c>, <c>cuda</c>,
/// <c>cuda:i</c> for both models, or two of these separated by a comma, the reference model's first.
/// </summary>
public sealed record DeviceOption
{
    private const string Allowed =
        "allowed: auto, cpu, cuda, cuda:i (i from 0), or two of cpu, cuda, cuda:i separated by a comma, the reference model's first";

    private readonly DeviceName? _reference, _aligned;

    private DeviceOption(DeviceName? reference, DeviceName? aligned) => (_reference, _aligned) = (reference, aligned);

    /// <summary>The first CUDA device where there is one, else the CPU. The default.</summary>
    public static DeviceOption Auto { get; } = new(null, null);

    /// <summary>Both models on the CPU.</summary>
    public static DeviceOption Cpu { get; } = new(new DeviceName(null), new DeviceName(null));

    /// <summary>Parses the option's value, ignoring case.</summary>
    /// <exception cref="FormatException">It is none of the allowed values; the message names the option and lists them.</exception>
    public static DeviceOption Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var parts = text.Trim().ToLowerInvariant().Split(',', StringSplitOptions.TrimEntries);
        if (parts is ["auto"]) return Auto;
        if (parts.Length > 2) throw Refused(text);
        return new DeviceOption(ParseOne(parts[0], text), ParseOne(parts[^1], text));
    }

    /// <summary>Picks the devices. Call after <see cref="LibTorch.Load"/>.</summary>
    /// <param name="libTorch">The loaded libtorch, with its number of CUDA devices.</param>
    /// <exception cref="LibTorchException">A CUDA device is asked for that does not exist, or none can be used.</exception>
    public (torch.Device Reference, torch.Device Aligned) Resolve(LoadedLibTorch libTorch)
    {
        ArgumentNullException.ThrowIfNull(libTorch);
        var names = Resolve(libTorch.CudaDevices);
        return (new torch.Device(names.Reference), new torch.Device(names.Aligned));
    }

    internal (string Reference, string Aligned) Resolve(int cudaDevices)
    {
        var auto = new DeviceName(cudaDevices > 0 ? 0 : null);
        return ((_reference ?? auto).Checked(cudaDevices), (_aligned ?? auto).Checked(cudaDevices));
    }

    private static DeviceName ParseOne(string part, string text) => part switch
    {
        "cpu" => new DeviceName(null),
        "cuda" => new DeviceName(0),
        _ when part.StartsWith("cuda:", StringComparison.Ordinal)
            && int.TryParse(part.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var index) => new DeviceName(index),
        _ => throw Refused(text),
    };

    private static FormatException Refused(string text) => new($"--device: '{text}' is not a device; {Allowed}");

    /// <summary>One device: a CUDA index, or null for the CPU.</summary>
    private sealed record DeviceName(int? CudaIndex)
    {
        public string Checked(int cudaDevices)
        {
            if (CudaIndex is not { } index) return "cpu";
            if (cudaDevices == 0) throw new LibTorchException(
                $"--device cuda:{index}: libtorch finds no CUDA device. Either it is a CPU build (choose a CUDA build with --libtorch or "
                + $"{LibTorchOptions.DirectoryVariable}, such as the torch/lib folder of PyTorch 2.10 for CUDA), or the machine has no "
                + "NVIDIA GPU or no driver for it; --device cpu or auto works without one.");
            if (index >= cudaDevices) throw new LibTorchException(
                $"--device cuda:{index}: there is no such device; allowed: cuda:0 to cuda:{cudaDevices - 1}.");
            return $"cuda:{index}";
        }
    }
}
