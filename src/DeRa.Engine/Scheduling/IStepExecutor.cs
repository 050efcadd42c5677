using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// The engine's interface to the models: runs a step and returns what was sampled. Called from the engine's thread only.
/// </summary>
public interface IStepExecutor : IDisposable
{
    /// <summary>What the loaded models and their cache can take.</summary>
    ExecutorLimits Limits { get; }

    /// <summary>
    /// Runs every row of the plan through the models that its strengths need, writes their keys and values into the cache
    /// and samples where asked. Running the same plan again writes the same values: a failed step may be repeated.
    /// </summary>
    /// <returns>One result a row, in the plan's order.</returns>
    StepResult Execute(StepPlan plan);
}

/// <summary>What an executor can take.</summary>
/// <param name="VocabularySize">Token ids run over [0, VocabularySize) in every model.</param>
/// <param name="ContextTokens">Most tokens a sequence may have, prompt and output together.</param>
/// <param name="BlockTokens">Tokens a cache block holds.</param>
/// <param name="BlockCount">Blocks in the cache; ids run over [0, BlockCount).</param>
public sealed record ExecutorLimits(int VocabularySize, int ContextTokens, int BlockTokens, int BlockCount)
{
    /// <summary>Models whose logits are mixed: the reference and every aligned one; at least 2.</summary>
    public int ModelCount { get; init; } = 2;
}

/// <summary>One step: the rows that run together.</summary>
/// <param name="Rows">At least one row; no sequence twice.</param>
public sealed record StepPlan(IReadOnlyList<StepRow> Rows);

/// <summary>One sequence's part of a step: a chunk of its prompt, or its last token. Everything a row needs is in here.</summary>
public sealed record StepRow
{
    /// <summary>The tokens to run, at positions Position, Position + 1, …; at least one.</summary>
    public required ReadOnlyMemory<int> Tokens { get; init; }

    /// <summary>The position of the first of <see cref="Tokens"/>; the cache holds [0, Position) already.</summary>
    public required int Position { get; init; }

    /// <summary>
    /// Cache blocks: position p lies in block BlockTable[p / BlockTokens] at offset p mod BlockTokens, in every model's cache.
    /// </summary>
    public required IReadOnlyList<int> BlockTable { get; init; }

    /// <summary>How much each model weighs in this row.</summary>
    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>How to sample after the last of <see cref="Tokens"/>; null where nothing is sampled.</summary>
    public SamplingRow? Sampling { get; init; }

    /// <summary>The prompt tokens to score: entry i follows Tokens[i]. Empty where no scores are wanted.</summary>
    public ReadOnlyMemory<int> ScoredTokens { get; init; }

    /// <summary>How many alternatives come with each scored token.</summary>
    public int ScoredAlternatives { get; init; }
}

/// <summary>What sampling one row needs beside its logits.</summary>
public sealed record SamplingRow
{
    /// <summary>Temperature, filters, penalties, bias, masks.</summary>
    public required SamplingParameters Parameters { get; init; }

    /// <summary>
    /// <see cref="GumbelNoise.Key"/> of the position: the token is the one whose log p + g is largest, of equal ones the lowest id, over
    /// what penalties, bias, masks, temperature and filters leave; at temperature 0 the likeliest, without noise.
    /// </summary>
    public required ulong NoiseKey { get; init; }

    /// <summary>Tokens so far, prompt then output; read only where penalties or masks are on.</summary>
    public required ReadOnlyMemory<int> History { get; init; }

    /// <summary>How many of <see cref="History"/> belong to the prompt.</summary>
    public required int PromptTokens { get; init; }

    /// <summary>How many alternatives' log-probabilities to return (0 = the sampled token's own only); null = none.</summary>
    public int? LogProbs { get; init; }
}

/// <summary>What a step gives back.</summary>
/// <param name="Rows">One a row of the plan, in its order.</param>
public sealed record StepResult(IReadOnlyList<RowResult> Rows)
{
    /// <summary>
    /// The part of the step from hidden states to tokens: output layers, mixing, filters, draws. On a GPU it begins when the
    /// host has queued the models' passes, and so waits for them too. Zero where nothing was measured.
    /// </summary>
    public TimeSpan MixAndSampleTime { get; init; }
}

/// <summary>What one row gives back.</summary>
public sealed record RowResult
{
    /// <summary>The sampled token; meaningful only where the row asked for sampling.</summary>
    public int Token { get; init; }

    /// <summary>Log-probabilities of the sampled token, where asked for.</summary>
    public TokenLogProbs? LogProbs { get; init; }

    /// <summary>One a scored token of the row; empty where none was asked for.</summary>
    public IReadOnlyList<TokenLogProbs> ScoredLogProbs { get; init; } = [];

    /// <summary>KL(mixture ‖ reference model) in nats where the row sampled, at least 0; null where it was not measured.</summary>
    public double? ReferenceDivergence { get; init; }

    /// <summary>Why this row alone failed (such as logits that are not finite); null where it did not.</summary>
    public string? Error { get; init; }
}
