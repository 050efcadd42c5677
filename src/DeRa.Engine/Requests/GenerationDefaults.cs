namespace DeRa.Engine.Requests;

/// <summary>What a pair's folders say about generating: used where a request says nothing.</summary>
public sealed record GenerationDefaults
{
    /// <summary>End-of-sequence token ids: the union of both models'.</summary>
    public IReadOnlySet<int> EndOfSequenceTokens { get; init; } = new HashSet<int>();

    /// <summary>Temperature; 1 where the folders say nothing.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Top-k; 0 = all, where the folders say nothing.</summary>
    public int TopK { get; init; }

    /// <summary>Top-p; 1 where the folders say nothing.</summary>
    public double TopP { get; init; } = 1;

    /// <summary>Min-p; 0 where the folders say nothing.</summary>
    public double MinP { get; init; }

    /// <summary>Repetition penalty; 1 where the folders say nothing.</summary>
    public double RepetitionPenalty { get; init; } = 1;
}
