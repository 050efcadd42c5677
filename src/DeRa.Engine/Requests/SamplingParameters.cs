namespace DeRa.Engine.Requests;

/// <summary>
/// How one token is chosen from the mixed logits. Order: penalties and bias, masks, temperature, top-k, top-p, min-p,
/// typical, sample.
/// </summary>
public sealed record SamplingParameters
{
    /// <summary>Divides the logits; 0 (greedy) or [0.01, 2]. Default 1.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Keeps the k most likely tokens; 0 = all. Default 0.</summary>
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of most likely tokens whose probability reaches this; (0, 1]. Default 1 = all.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Keeps tokens at least this fraction as likely as the most likely one; [0, 1]. Default 0 = all.</summary>
    public float MinP { get; init; }

    /// <summary>
    /// Keeps the tokens whose surprise is nearest to the expected one, until their probability reaches this (locally typical
    /// sampling, Meister et al. 2023); (0, 1]. Default 1 = all.
    /// </summary>
    public float TypicalP { get; init; } = 1;

    /// <summary>Divides positive and multiplies negative logits of tokens in prompt or output; (0, 2]. Default 1 = off.</summary>
    public float RepetitionPenalty { get; init; } = 1;

    /// <summary>Subtracted once for each earlier occurrence in the output; [−2, 2]. Default 0.</summary>
    public float FrequencyPenalty { get; init; }

    /// <summary>Subtracted once from tokens that occur in the output; [−2, 2]. Default 0.</summary>
    public float PresencePenalty { get; init; }

    /// <summary>Added to the logit of each named token; ids in the vocabulary, values [−100, 100].</summary>
    public IReadOnlyDictionary<int, float> LogitBias { get; init; } = NoBias;

    /// <summary>The only tokens that may be sampled, each once; null = all. Ids in the vocabulary; at least one.</summary>
    public IReadOnlyList<int>? AllowedTokens { get; init; }

    /// <summary>Sequences of tokens, none empty, whose last token is not sampled where the output ends with those before it.</summary>
    public IReadOnlyList<IReadOnlyList<int>> BadWords { get; init; } = [];

    /// <summary>Tokens of the output before which none of <see cref="EndTokens"/> is sampled; at least 0. Default 0.</summary>
    public int MinTokens { get; init; }

    /// <summary>What <see cref="MinTokens"/> holds back. Ids in the vocabulary.</summary>
    public IReadOnlyList<int> EndTokens { get; init; } = [];

    /// <summary>True where any token may be forbidden.</summary>
    public bool HasMasks => AllowedTokens is not null || BadWords.Count > 0 || MinTokens > 0;

    /// <summary>True where any penalty looks at earlier tokens.</summary>
    public bool HasPenalties => RepetitionPenalty != 1 || FrequencyPenalty != 0 || PresencePenalty != 0;

    private static readonly Dictionary<int, float> NoBias = [];
}
