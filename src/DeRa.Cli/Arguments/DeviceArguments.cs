using System.CommandLine;
using DeRa.Torch.Native;

namespace DeRa.Cli.Arguments;

/// <summary>The options of every command that computes: where, in which type, with which libtorch.</summary>
internal sealed class DeviceArguments
{
    private readonly Option<string> _device = new("--device")
    {
        Description = "auto (CUDA, then CPU), cpu, cuda, cuda:i; two separated by a comma for the two models",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string> _dtype = new("--dtype")
    {
        Description = "Number format of the weights: auto (the checkpoint's), float32, bfloat16 or float16",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string> _cacheDType = new("--cache-dtype")
    {
        Description = "Number format of the caches of keys and values: auto (float32 on a CPU, unless libtorch computes in another; the "
            + "weights' on a GPU), float32, bfloat16 or float16",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string> _kernels = new("--kernels")
    {
        Description = "What computes matrix products: auto (the program's own on a CPU, libtorch on a GPU), cpu (its own) or torch",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string> _prefillKernel = new("--prefill-kernel")
    {
        Description = "What multiplies prompts where the kernels are the program's own: auto (they do) or torch (libtorch, in float32)",
        DefaultValueFactory = _ => "auto",
    };

    private readonly Option<string?> _libtorch = new("--libtorch")
    {
        Description = "The torch/lib folder of a PyTorch installation, to use its libtorch (that is how CUDA runs)",
    };

    private readonly Option<int?> _threads = new("--threads") { Description = "CPU threads of one operator; at least 1" };

    public void AddTo(Command command)
    {
        Option[] options = [_device, _dtype, _cacheDType, _kernels, _prefillKernel, _libtorch, _threads];
        foreach (var option in options) command.Add(option);
    }

    /// <exception cref="FormatException">The value is not allowed; the message names the option.</exception>
    public DeviceOption Device(ParseResult parsed) => DeviceOption.Parse(parsed.GetRequiredValue(_device));

    /// <inheritdoc cref="Device"/>
    public DTypeOption DType(ParseResult parsed) => DTypeOption.Parse(parsed.GetRequiredValue(_dtype));

    /// <inheritdoc cref="Device"/>
    public CacheDTypeOption CacheDType(ParseResult parsed) => CacheDTypeOption.Parse(parsed.GetRequiredValue(_cacheDType));

    /// <inheritdoc cref="Device"/>
    public KernelsOption Kernels(ParseResult parsed) =>
        KernelsOption.Parse(parsed.GetRequiredValue(_kernels), parsed.GetRequiredValue(_prefillKernel));

    /// <inheritdoc cref="Device"/>
    public LibTorchOptions LibTorch(ParseResult parsed) => new()
    {
        Directory = parsed.GetValue(_libtorch),
        Threads = parsed.GetValue(_threads) is { } threads and < 1
            ? throw new FormatException($"--threads is {threads}; it must be at least 1.") : parsed.GetValue(_threads),
    };
}
