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
    /// Reads a prompt and generates a token on every model; what it leaves in the cache is overwritten before it is read.
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

    private static string? Fault(IStepExecutor executor, AlignmentStrengths strengths, int position, int count) =>
        executor.Execute(new StepPlan([Row(strengths, position, count)])).Rows[0].Error;

    private static StepRow Row(AlignmentStrengths strengths, int position, int count) => new()
    {
        Tokens = new int[count],
        Position = position,
        BlockTable = [0],
        Strengths = strengths,
        Sampling = new SamplingRow
        {
            Parameters = new SamplingParameters(),
            NoiseKey = 0,
            History = new int[position + count],
            PromptTokens = position + count,
        },
    };
}
