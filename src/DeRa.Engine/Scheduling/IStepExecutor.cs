namespace DeRa.Engine.Scheduling;

/// <summary>
/// The engine's interface to the models: runs a step and returns what was read out. Called from the engine's thread only.
/// </summary>
public interface IStepExecutor : IDisposable
{
    /// <summary>What the loaded models and their cache can take.</summary>
    ExecutorLimits Limits { get; }

    /// <summary>
    /// Copies blocks, runs every pass, which writes keys and values into the cache and logits into their slots, then reads out.
    /// Running the same plan again, or any branches' part of it, writes the same values: a failed step may be repeated.
    /// </summary>
    /// <returns>One result a readout, in the plan's order.</returns>
    StepResult Execute(StepPlan plan);
}

/// <summary>What an executor can take.</summary>
/// <param name="VocabularySize">Token ids run over [0, VocabularySize) in every model.</param>
/// <param name="ContextTokens">Most tokens a sequence may have, prompt and output together.</param>
/// <param name="BlockTokens">Tokens a cache block holds.</param>
/// <param name="BlockCount">Blocks in the cache; ids run over [0, BlockCount).</param>
public sealed record ExecutorLimits(int VocabularySize, int ContextTokens, int BlockTokens, int BlockCount)
{
    /// <summary>
    /// What runs in one pass: each model of the pair (0 = the reference, i = the aligned model i − 1) belongs to exactly one runner.
    /// </summary>
    public IReadOnlyList<RunnerLimits> Runners
    {
        get;
        init
        {
            field = value;
            ModelCount = value.Sum(runner => runner.Models.Count);
        }
    } = [new([0], ""), new([1], "")];

    /// <summary>Rows of logits that can be kept between steps; slots run over [0, LogitSlots).</summary>
    public int LogitSlots { get; init; }

    /// <summary>Models whose logits are mixed: the reference and every aligned one; at least 2.</summary>
    public int ModelCount { get; private init; } = 2;
}

/// <summary>One base model with its adapters: its models run in one pass.</summary>
/// <param name="Models">At least one: 0 = the reference, i = the aligned model i − 1.</param>
/// <param name="Device">Where it runs. Passes of runners on different devices overlap.</param>
public sealed record RunnerLimits(IReadOnlyList<int> Models, string Device);
