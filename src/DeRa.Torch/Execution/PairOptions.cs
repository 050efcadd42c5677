using DeRa.Torch.Native;

namespace DeRa.Torch.Execution;

/// <summary>Which models to load, where, and how much cache they get. Checked by <see cref="PairLoader.Load"/>.</summary>
public sealed record PairOptions
{
    /// <summary>Folder of the reference model (λ = 0), Hugging Face layout.</summary>
    public required string ReferencePath { get; init; }

    /// <summary>The aligned models (λ = 1), at least one; folders may repeat, the reference's too.</summary>
    public required IReadOnlyList<AlignedFolder> Aligned { get; init; }

    /// <summary>The models' devices. Default auto.</summary>
    public DeviceOption Device { get; init; } = DeviceOption.Auto;

    /// <summary>
    /// Element type of weight matrices; without <see cref="Kernels"/> of ours, of all computation. Default auto: the checkpoint's own.
    /// </summary>
    public DTypeOption DType { get; init; } = DTypeOption.Auto;

    /// <summary>Element type of the caches. Default auto: that of what is computed, float32 with our own kernels.</summary>
    public CacheDTypeOption CacheDType { get; init; } = CacheDTypeOption.Auto;

    /// <summary>What computes matrix products. Default auto: our own kernels on a CPU, libtorch on a GPU.</summary>
    public KernelsOption Kernels { get; init; } = KernelsOption.Auto;

    /// <summary>Which libtorch, and its threads.</summary>
    public LibTorchOptions LibTorch { get; init; } = new();

    /// <summary>Most tokens a sequence may have; from 1 to the shortest context of the models. Default null: that context.</summary>
    public int? ContextTokens { get; init; }

    /// <summary>Tokens the caches hold, all sequences together; at least one block. Default null: by memory.</summary>
    public int? CacheTokens { get; init; }

    /// <summary>Tokens a cache block holds, [1, 1024]. Default 16.</summary>
    public int BlockTokens { get; init; } = 16;

    /// <summary>
    /// Rows of logits that can be kept between steps, at least 0, float32 and as wide as the vocabulary each. Default null: as many as
    /// an engine needs by default.
    /// </summary>
    public int? LogitSlots { get; init; }

    /// <summary>The element types of its models, and what computes.</summary>
    internal NumberOptions Numbers => new() { DType = DType, CacheDType = CacheDType, Kernels = Kernels };

    /// <summary>The paths of its models: the reference's, then the aligned ones'.</summary>
    public IEnumerable<string> Paths => Aligned.Select(model => model.Path).Prepend(ReferencePath);

    /// <summary>The same with other paths.</summary>
    /// <param name="find">Gives the new path for each of <see cref="Paths"/>, in order.</param>
    public async Task<PairOptions> WithPathsAsync(Func<string, Task<string>> find)
    {
        var reference = await find(ReferencePath);
        var aligned = new List<AlignedFolder>(Aligned.Count);
        foreach (var model in Aligned) aligned.Add(model with { Path = await find(model.Path) });
        return this with { ReferencePath = reference, Aligned = aligned };
    }
}
