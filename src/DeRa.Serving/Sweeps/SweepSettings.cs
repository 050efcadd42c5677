namespace DeRa.Serving.Sweeps;

/// <summary>What is generated for each prompt of a sweep.</summary>
public sealed record SweepSettings
{
    /// <summary>Completions of a prompt at a strength at most: as many as one request to score may have.</summary>
    public const int MaxSamples = 64;

    /// <summary>Strengths of the first aligned model, rising; at least one.</summary>
    public required IReadOnlyList<double> Strengths { get; init; }

    /// <summary>Completions of each prompt at each strength, 1 to <see cref="MaxSamples"/>; the same draws at every strength.</summary>
    public required int Samples { get; init; }

    /// <summary>Tokens of a completion at most, at least 1.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>0 (greedy) or 0.01 to 2.</summary>
    public double Temperature { get; init; } = 1;

    /// <summary>Only the likeliest tokens up to this probability are drawn, in (0, 1].</summary>
    public double TopP { get; init; } = 1;

    /// <summary>The first prompt's seed, at least 0; each next one's is one more.</summary>
    public long Seed { get; init; }

    /// <summary>Whether the mixture itself draws all tokens: at temperature 1, without filters.</summary>
    public bool AreDrawnByMixture => Temperature == 1 && TopP == 1;

    /// <summary>Completions of a prompt.</summary>
    public int Choices => Strengths.Count * Samples;
}
