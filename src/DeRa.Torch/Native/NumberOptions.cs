namespace DeRa.Torch.Native;

/// <summary>The element types of a model's parts, and what computes.</summary>
public sealed record NumberOptions
{
    /// <summary>Of weight matrices; of activations too, unless the kernels are our own.</summary>
    public DTypeOption DType { get; init; } = DTypeOption.Auto;

    /// <summary>Of the cache.</summary>
    public CacheDTypeOption CacheDType { get; init; } = CacheDTypeOption.Auto;

    /// <summary>What computes products.</summary>
    public KernelsOption Kernels { get; init; } = KernelsOption.Auto;
}
