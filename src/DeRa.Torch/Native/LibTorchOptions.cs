namespace DeRa.Torch.Native;

/// <summary>Which libtorch to load and how many threads it may use.</summary>
public sealed record LibTorchOptions
{
    /// <summary>The environment variable that is used where <see cref="Directory"/> is null.</summary>
    public const string DirectoryVariable = "DERA_LIBTORCH";

    /// <summary>
    /// The folder of an existing libtorch 2.10 (option <c>--libtorch</c>): a PyTorch installation's <c>torch/lib</c>, or its
    /// parent <c>torch</c>. Default null: <see cref="DirectoryVariable"/>, else the libtorch that came with the program.
    /// </summary>
    public string? Directory { get; init; }

    /// <summary>Threads of one operator on the CPU (option <c>--threads</c>); at least 1. Default null: the physical cores.</summary>
    public int? Threads { get; init; }
}
