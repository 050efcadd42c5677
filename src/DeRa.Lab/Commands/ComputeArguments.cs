using System.CommandLine;
using DeRa.Torch.Caching;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Lab.Commands;

/// <summary>The options of every command that computes: device, threads, libtorch.</summary>
internal sealed class ComputeArguments
{
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto (CUDA, else CPU), cpu, cuda or cuda:i",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<int?> _threads = new("--threads") { Description = "Threads of one operator on the CPU; default: one a core" };

    private readonly Option<string?> _libTorch = new("--libtorch")
    {
        Description = "Folder of another libtorch, such as PyTorch's torch/lib",
    };

    public void AddTo(Command command)
    {
        command.Add(_device);
        command.Add(_threads);
        command.Add(_libTorch);
    }

    /// <summary>The same options for another command.</summary>
    public IReadOnlyList<string> Given(ParseResult parsed) =>
    [
        _device.Name, parsed.GetRequiredValue(_device),
        .. parsed.GetValue(_threads) is { } threads ? (string[])[_threads.Name, $"{threads}"] : [],
        .. parsed.GetValue(_libTorch) is { } folder ? (string[])[_libTorch.Name, folder] : [],
    ];

    /// <summary>Loads libtorch and names the device.</summary>
    /// <exception cref="LibTorchException">It does not load, or has no such device.</exception>
    public Device Load(ParseResult parsed)
    {
        HostMemory.KeepFreed();
        var loaded = LibTorch.Load(new LibTorchOptions { Threads = parsed.GetValue(_threads), Directory = parsed.GetValue(_libTorch) });
        return DeviceOption.Parse(parsed.GetRequiredValue(_device)).Resolve(loaded).Reference;
    }
}
