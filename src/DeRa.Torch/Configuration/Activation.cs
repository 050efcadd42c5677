namespace DeRa.Torch.Configuration;

/// <summary>The function inside a feed-forward layer.</summary>
public enum Activation
{
    /// <summary>x · σ(x).</summary>
    Silu,

    /// <summary>x · Φ(x), exactly (arXiv 1606.08415).</summary>
    Gelu,

    /// <summary>x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))): the approximation of <see cref="Gelu"/> with tanh.</summary>
    GeluTanh,

    /// <summary>x · σ(1.702 x).</summary>
    QuickGelu,

    /// <summary>max(x, 0).</summary>
    Relu,
}
