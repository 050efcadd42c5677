using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>One step: passes over models, then what is read out of their logits. The engine reuses its lists in the next step.</summary>
/// <param name="Passes">At most one a runner. May be empty: logits of earlier steps may be all that a readout needs.</param>
/// <param name="Readouts">What is wanted of the logits; those of one branch in the order of its tokens.</param>
public sealed record StepPlan(IReadOnlyList<ModelPass> Passes, IReadOnlyList<Readout> Readouts)
{
    /// <summary>Blocks whose contents are copied before the passes, in every model's cache.</summary>
    public IReadOnlyList<BlockCopy> BlockCopies { get; init; } = [];

    /// <summary>Tokens that its passes run, over all of them.</summary>
    public int CountTokens()
    {
        var tokens = 0;
        foreach (var pass in Passes)
            foreach (var row in pass.Rows) tokens += row.Tokens.Length;
        return tokens;
    }
}

/// <summary>The contents of one cache block, copied to another.</summary>
/// <param name="Branch">The branch that needs it.</param>
/// <param name="From">The block that is read.</param>
/// <param name="To">The block that is written.</param>
public readonly record struct BlockCopy(int Branch, int From, int To);

/// <summary>One pass over a runner's weights.</summary>
/// <param name="Runner">Index into <see cref="ExecutorLimits.Runners"/>.</param>
/// <param name="Rows">At least one; no branch twice with the same model.</param>
public sealed record ModelPass(int Runner, IReadOnlyList<PassRow> Rows);

/// <summary>What one model runs of one branch: a chunk of its prompt, or its last tokens.</summary>
public readonly record struct PassRow
{
    private readonly IReadOnlyList<int>? _keptSlots;

    /// <summary>Ties the rows, copies and readouts of one branch together: what fails of it fails together.</summary>
    public required int Branch { get; init; }

    /// <summary>The model, one of the runner's: 0 = the reference, i = the aligned model i − 1.</summary>
    public required int Model { get; init; }

    /// <summary>The tokens to run, at positions Position, Position + 1, …; at least one.</summary>
    public required ReadOnlyMemory<int> Tokens { get; init; }

    /// <summary>The position of the first of <see cref="Tokens"/>; this model's cache holds [0, Position) already.</summary>
    public required int Position { get; init; }

    /// <summary>
    /// Cache blocks: position p lies in block BlockTable[p / BlockTokens] at offset p mod BlockTokens, in every model's cache.
    /// </summary>
    public required IReadOnlyList<int> BlockTable { get; init; }

    /// <summary>The logits after this many of the last tokens are wanted; from 0 to the number of tokens.</summary>
    public int OutputCount { get; init; }

    /// <summary>Where the last of the outputs are kept for later steps, one slot each; at most <see cref="OutputCount"/>.</summary>
    public IReadOnlyList<int> KeptSlots
    {
        get => _keptSlots ?? [];
        init => _keptSlots = value;
    }
}

/// <summary>
/// What is wanted of the logits of one position: a sampled token, the score of a known one, or both; or scores of a known one at many
/// strengths.
/// </summary>
public readonly record struct Readout
{
    /// <summary>The branch, as in <see cref="PassRow.Branch"/>.</summary>
    public required int Branch { get; init; }

    /// <summary>How much each model's logits weigh.</summary>
    public required AlignmentStrengths Strengths { get; init; }

    /// <summary>
    /// Where the logits are: one for each of the strengths' active models, in their order; at least one is known. What is not known is
    /// estimated from what is: such a readout is a guess.
    /// </summary>
    public required IReadOnlyList<LogitSource> Sources { get; init; }

    /// <summary>How to sample; null where nothing is sampled.</summary>
    public SamplingRow? Sampling { get; init; }

    /// <summary>The token to score; null where none is.</summary>
    public ScoredToken? Score { get; init; }

    /// <summary>The token to score at many strengths, in place of all else; null where none is.</summary>
    public SweptToken? Sweep { get; init; }
}

/// <summary>
/// Where a model's logits are: an output of a row of this step, or a slot that an earlier step has written; or nowhere, since the model
/// has not got there yet.
/// </summary>
/// <param name="Row">The row in the pass of the model's runner; −1 = none.</param>
/// <param name="Output">Which of the row's outputs, from 0.</param>
/// <param name="Slot">The slot; −1 = none.</param>
public readonly record struct LogitSource(int Row, int Output, int Slot)
{
    /// <summary>An output of this step.</summary>
    public static LogitSource Of(int row, int output) => new(row, output, -1);

    /// <summary>What an earlier step has kept.</summary>
    public static LogitSource Kept(int slot) => new(-1, 0, slot);

    /// <summary>The model has not got there yet.</summary>
    public static LogitSource Unknown => new(-1, 0, -1);

    /// <summary>Whether an earlier step has kept it.</summary>
    public bool IsKept => Slot >= 0;

    /// <summary>Whether the model has got there.</summary>
    public bool IsKnown => Row >= 0 || Slot >= 0;
}

/// <summary>A known token whose log-probability is wanted.</summary>
/// <param name="Token">Its id.</param>
/// <param name="Alternatives">How many of the most likely tokens come with it.</param>
public readonly record struct ScoredToken(int Token, int Alternatives);

/// <summary>A known token whose log-probability is wanted at many strengths.</summary>
/// <param name="Token">Its id.</param>
/// <param name="Strengths">Mixtures of models that are active in the readout.</param>
public readonly record struct SweptToken(int Token, IReadOnlyList<AlignmentStrengths> Strengths);

/// <summary>What sampling one position needs beside its logits.</summary>
public readonly record struct SamplingRow
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

    /// <summary>
    /// How many of each distribution's likeliest tokens to return with the token's measures (0 = none); null = no measures. All logits
    /// must be known, and every model of the pair be active.
    /// </summary>
    public int? Measures { get; init; }
}
