namespace DeRa.Torch.Layouts;

/// <summary>The modules of a decoder layer, by their names in it.</summary>
internal sealed record LayerLayout
{
    /// <summary>The norm before attention.</summary>
    public required string AttentionNorm { get; init; }

    /// <summary>[(heads + 2 · keyValueHeads) · headDimension, hidden]: queries, keys, values.</summary>
    public required LinearLayout QueryKeyValue { get; init; }

    /// <summary>The norm of each query head, or null.</summary>
    public string? QueryNorm { get; init; }

    /// <summary>The norm of each key head, or null.</summary>
    public string? KeyNorm { get; init; }

    /// <summary>[hidden, heads · headDimension].</summary>
    public required LinearLayout AttentionOutput { get; init; }

    /// <summary>The norm of attention's output, or null.</summary>
    public string? AttentionOutputNorm { get; init; }

    /// <summary>The norm before the feed-forward layer.</summary>
    public required string FeedForwardNorm { get; init; }

    /// <summary>[2 · intermediate, hidden]: gate, then up; not gated [intermediate, hidden].</summary>
    public required LinearLayout FeedForwardInput { get; init; }

    /// <summary>[hidden, intermediate].</summary>
    public required LinearLayout FeedForwardOutput { get; init; }

    /// <summary>The norm of the feed-forward layer's output, or null.</summary>
    public string? FeedForwardOutputNorm { get; init; }

    /// <summary>The attention module: the parent of its query projection.</summary>
    public string Attention => QueryKeyValue.Parts[0].Module[..QueryKeyValue.Parts[0].Module.LastIndexOf('.')];

    /// <summary>Every weight matrix.</summary>
    public IReadOnlyList<LinearLayout> Linears => [QueryKeyValue, AttentionOutput, FeedForwardInput, FeedForwardOutput];

    /// <summary>The norms of the residual stream's width.</summary>
    public IEnumerable<string> Norms =>
        new[] { AttentionNorm, AttentionOutputNorm, FeedForwardNorm, FeedForwardOutputNorm }.OfType<string>();

    /// <summary>The norms of single heads.</summary>
    public IEnumerable<string> HeadNorms => new[] { QueryNorm, KeyNorm }.OfType<string>();
}
