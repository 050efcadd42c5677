namespace DeRa.Client.Alignment;

/// <summary>The scores of a text: natural logarithms and nats, at temperature 1 without filters.</summary>
public sealed record ItemScores
{
    /// <summary>How many tokens are scored.</summary>
    public required int TokenCount { get; init; }

    /// <summary>Log-probability of all of them under the reference model.</summary>
    public required double LogProbReference { get; init; }

    /// <summary>The same under the aligned model, of several the first one.</summary>
    public required double LogProbAligned { get; init; }

    /// <summary>The same by aligned model; over HTTP only where there are several.</summary>
    public required IReadOnlyDictionary<string, double> LogProbsAligned { get; init; }

    /// <summary>One a strength, in their order.</summary>
    public required IReadOnlyList<StrengthScore> Scores { get; init; }

    /// <summary>The tokens; empty unless each was asked for.</summary>
    public required IReadOnlyList<int> TokenIds { get; init; }
}

/// <summary>The scores of a text at one strength.</summary>
/// <param name="Strength">The strength, as it was asked for.</param>
/// <param name="LogProb">Log-probability of all tokens.</param>
/// <param name="Perplexity">e to the mean negative log-probability of a token; infinite where a token is impossible.</param>
/// <param name="KlToReference">Sum over the tokens' places of KL(mixture ‖ reference).</param>
/// <param name="TokenLogProbs">Of each token; empty unless each was asked for.</param>
public sealed record StrengthScore(
    double Strength, double LogProb, double Perplexity, double KlToReference, IReadOnlyList<double> TokenLogProbs);
