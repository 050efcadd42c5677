namespace DeRa.Engine.Requests;

/// <summary>
/// One sequence to generate: all that the engine knows of a request. Immutable; whoever submits it has checked its fields, the
/// engine checks only that it fits.
/// </summary>
public sealed record GenerationRequest
{
    /// <summary>Token ids of the prompt: at least one, each in the vocabulary.</summary>
    public required IReadOnlyList<int> PromptTokens { get; init; }

    /// <summary>
    /// How much each model weighs, in the first token where there is a schedule; finite. A number is λ of the first aligned model:
    /// 0 = reference, 1 = aligned. The prompt is scored at these.
    /// </summary>
    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>Strengths that change from token to token, beginning with <see cref="Strengths"/>; null = they do not.</summary>
    public StrengthSchedule? Schedule { get; init; }

    /// <summary>
    /// Prompts of models that read another one (0 = the reference, i = the aligned model i − 1); all go on with the same output.
    /// Positions of draws, penalties and scores are those of <see cref="PromptTokens"/>. At least one token each. Default none.
    /// </summary>
    public IReadOnlyDictionary<int, IReadOnlyList<int>> PromptOfModel { get; init; } = NoPrompts;

    /// <summary>How many tokens to generate at most; 0 only scores the prompt.</summary>
    public required int MaxTokens { get; init; }

    /// <summary>How each token is chosen.</summary>
    public SamplingParameters Sampling { get; init; } = new();

    /// <summary>Seeds the random draws. The same seed gives the same draws alone or in any batch.</summary>
    public required long Seed { get; init; }

    /// <summary>Which of its prompt's choices this is, from 0; a prompt with a single choice has 0.</summary>
    public int ChoiceIndex { get; init; }

    /// <summary>Sampling one of these ends the sequence with <see cref="FinishReason.Stop"/>.</summary>
    public IReadOnlySet<int> StopTokens { get; init; } = NoTokens;

    /// <summary>How many alternatives' log-probabilities come with each token (0 = the token's own only); null = none.</summary>
    public int? LogProbs { get; init; }

    /// <summary>
    /// How many of each distribution's likeliest tokens come with the measures of each token (0 = its own only); null = no measures.
    /// With them every model of the pair runs, also one that weighs nothing. They never change a token.
    /// </summary>
    public int? Measures { get; init; }

    /// <summary>The same as log-probabilities for the tokens of the prompt; null = none.</summary>
    public int? PromptLogProbs { get; init; }

    /// <summary>Tokens of the prompt that are scored at many strengths; null = none. Then nothing is generated.</summary>
    public PromptScoring? Scoring { get; init; }

    /// <summary>Whose it is: clients share the engine alike, however much each asks for. Default: all that name none are one.</summary>
    public string Client { get; init; } = "";

    /// <summary>
    /// Of a client's waiting sequences those with the lowest run first; of equal ones the first come. Where cache blocks run out, those
    /// with the largest go back to the queue first; of equal ones the last come.
    /// </summary>
    public int Priority { get; init; }

    /// <summary>What other requests compute of the same tokens is used only where their salt is the same; null is one too.</summary>
    public string? CacheSalt { get; init; }

    /// <summary>Whether its tokens may be guessed ahead. Never changes them.</summary>
    public bool Speculation { get; init; } = true;

    private static readonly HashSet<int> NoTokens = [];
    private static readonly Dictionary<int, IReadOnlyList<int>> NoPrompts = [];
}

/// <summary>Why a sequence ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token or a stop string.</summary>
    Stop,

    /// <summary>The token limit.</summary>
    Length,

    /// <summary>The client went away or cancelled.</summary>
    Cancelled,
}
