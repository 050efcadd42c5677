using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Execution;

/// <summary>
/// Runs the executor once before anyone waits for it: kernels, thread pools and device memory are set up in the first steps,
/// and a device that cannot run the models says so at start.
/// </summary>
internal static class WarmUp
{
    /// <summary>Reads a prompt and generates a token on every model; what it leaves in the cache is overwritten before it is read.</summary>
    /// <param name="executor">Used by no other thread yet; an executor that throws is disposed.</param>
    /// <exception cref="PairLoadException">The models do not run.</exception>
    public static void Run(IStepExecutor executor)
    {
        try
        {
            var weight = 1.0 / executor.Limits.ModelCount;
            var strengths = new AlignmentStrengths([.. Enumerable.Repeat(weight, executor.Limits.ModelCount - 1)]);
            var promptTokens = Math.Min(2, executor.Limits.ContextTokens);
            for (var position = 0; position < executor.Limits.ContextTokens && position <= promptTokens; position += promptTokens)
                executor.Execute(new StepPlan([Row(strengths, position, position == 0 ? promptTokens : 1)]));
        }
        catch (Exception fault)
        {
            executor.Dispose();
            throw new PairLoadException($"the models do not run: {fault.Message}", fault);
        }
    }

    private static StepRow Row(AlignmentStrengths strengths, int position, int count) => new()
    {
        Tokens = new int[count],
        Position = position,
        BlockTable = [0],
        Strengths = strengths,
        Sampling = new SamplingRow
        {
            Parameters = new SamplingParameters(),
            Draw = 0.5,
            History = new int[position + count],
            PromptTokens = position + count,
        },
    };
}
