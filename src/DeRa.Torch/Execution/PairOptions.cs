using DeRa.Torch.Native;

namespace DeRa.Torch.Execution;

/// <summary>Which two models to load, where, and how much cache they get. Checked by <see cref="PairLoader.Load"/>.</summary>
public sealed record PairOptions
{
    /// <summary>Folder of the reference model (λ = 0), Hugging Face layout.</summary>
    public required string ReferencePath { get; init; }

    /// <summary>Folder of the aligned model (λ = 1); may be the same folder.</summary>
    public required string AlignedPath { get; init; }

    /// <summary>Where the models go. Default auto.</summary>
    public DeviceOption Device { get; init; } = DeviceOption.Auto;

    /// <summary>In which type they lie and compute. Default auto: each checkpoint's own.</summary>
    public DTypeOption DType { get; init; } = DTypeOption.Auto;

    /// <summary>Which libtorch, and its threads.</summary>
    public LibTorchOptions LibTorch { get; init; } = new();

    /// <summary>Most tokens a sequence may have; at least 1 and at most what both models take. Default null: that.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>Tokens the caches hold, all sequences together; at least one block. Default null: by memory.</summary>
    public int? CacheTokens { get; init; }

    /// <summary>Tokens a cache block holds, [1, 1024]. Default 16.</summary>
    public int BlockTokens { get; init; } = 16;
}
