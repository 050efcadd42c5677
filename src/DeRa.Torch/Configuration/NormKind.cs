namespace DeRa.Torch.Configuration;

/// <summary>How a norm brings vectors to one size.</summary>
public enum NormKind
{
    /// <summary>x / √(mean(x²) + ε) · weight (arXiv 1910.07467).</summary>
    RootMeanSquare,

    /// <summary>(x − mean) / √(variance + ε) · weight + bias (arXiv 1607.06450).</summary>
    Layer,
}
