using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Execution;

/// <summary>
/// Runs the executor before the first request: kernels, thread pools and device memory are set up in the first steps, and models that
/// do not run, or whose logits are not finite, fail at startup.
/// </summary>
public static class WarmUp
{
    /// <summary>
    /// Reads a prompt and generates a token on every model, from logits of the step and from kept ones, and guesses one from a model
    /// alone; what it leaves in the cache and in slots is overwritten before it is read.
    /// </summary>
    /// <param name="executor">Not yet used by another thread; disposed of on failure.</param>
    /// <param name="names">The models: the reference, then the aligned ones.</param>
    /// <exception cref="PairLoadException">The models do not run, or logits of one are not finite.</exception>
    public static void Run(IStepExecutor executor, IReadOnlyList<string> names)
    {
        try
        {
            var aligned = executor.Limits.ModelCount - 1;
            var equal = new AlignmentStrengths([.. Enumerable.Repeat(1.0 / (aligned + 1), aligned)]);
            var promptTokens = Math.Min(2, executor.Limits.ContextTokens);
            for (var position = 0; position < executor.Limits.ContextTokens && position <= promptTokens; position += promptTokens)
                if (Fault(executor, equal, position, position == 0 ? promptTokens : 1) is { } fault)
                    throw Failure(executor, names, promptTokens, fault);
        }
        catch (Exception fault)
        {
            executor.Dispose();
            throw fault as PairLoadException ?? new PairLoadException($"the models do not run: {fault.Message}", fault);
        }
    }

    /// <summary>Finds which models fail by running each alone.</summary>
    private static PairLoadException Failure(IStepExecutor executor, IReadOnlyList<string> names, int promptTokens, string fault)
    {
        var alone = Enumerable.Range(0, names.Count).Where(member => Fault(executor, Only(member), position: 0, promptTokens) is not null);
        var failing = string.Join(" and ", alone.Select(member => $"'{names[member]}'"));
        return new PairLoadException(
            $"the first step of {(failing.Length > 0 ? $"model {failing}" : "the models together")} fails: {fault}. "
            + "The weights may not be finite, or may be too large for the type in which they are loaded (--dtype).");
    }

    /// <summary>One member as the single active model: 0 = the reference, i = the aligned model i − 1.</summary>
    private static AlignmentStrengths Only(int member) =>
        new([.. Enumerable.Range(1, member).Select(aligned => aligned == member ? 1.0 : 0)]);

    /// <summary>
    /// Samples from the step's own logits, then, where there are slots, from the same logits kept, and with all but the first unknown.
    /// A guess may fail: its error is no fault.
    /// </summary>
    private static string? Fault(IStepExecutor executor, AlignmentStrengths strengths, int position, int count)
    {
        var (passes, sources) = (new List<ModelPass>(), new SortedDictionary<int, LogitSource>());
        var keeps = executor.Limits.LogitSlots >= executor.Limits.ModelCount;
        for (var runner = 0; runner < executor.Limits.Runners.Count; runner++)
        {
            var rows = new List<PassRow>();
            foreach (var model in executor.Limits.Runners[runner].Models.Where(strengths.IsActive))
            {
                sources.Add(model, LogitSource.Of(rows.Count, output: 0));
                rows.Add(Row(model, position, count, keeps));
            }
            if (rows.Count > 0) passes.Add(new ModelPass(runner, rows));
        }
        var own = Read(new StepPlan(passes, [Readout(strengths, [.. sources.Values], position + count)]));
        if (own is not null || !keeps) return own;
        var kept = sources.Keys.Select(LogitSource.Kept).ToList();
        var guess = kept.Select((source, i) => i == 0 ? source : LogitSource.Unknown).ToList();
        return Read(new StepPlan([], [Readout(strengths, kept, position + count), Readout(strengths, guess, position + count)]));

        string? Read(StepPlan plan) => executor.Execute(plan).Readouts[0].Error;
    }

    private static PassRow Row(int model, int position, int count, bool keeps) => new()
    {
        Branch = 0,
        Model = model,
        Tokens = new int[count],
        Position = position,
        BlockTable = [0],
        OutputCount = 1,
        KeptSlots = keeps ? [model] : [],
    };

    private static Readout Readout(AlignmentStrengths strengths, IReadOnlyList<LogitSource> sources, int tokens) => new()
    {
        Branch = 0,
        Strengths = strengths,
        Sources = sources,
        Sampling = new SamplingRow
        {
            Parameters = new SamplingParameters(),
            NoiseKey = 0,
            History = new int[tokens],
            PromptTokens = tokens,
        },
    };
}
