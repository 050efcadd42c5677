using DeRa.Engine.Scheduling;

namespace DeRa.Cli.Bench.Steps;

/// <summary>An executor whose steps are noted. Engines that get it do not free the models, so that one can follow the other.</summary>
/// <param name="inner">Runs the steps.</param>
/// <param name="ran">Takes each step's plan once it has run, on the engine's thread.</param>
internal sealed class MeasuredExecutor(IStepExecutor inner, Action<StepPlan> ran) : IStepExecutor
{
    /// <inheritdoc/>
    public ExecutorLimits Limits => inner.Limits;

    /// <inheritdoc/>
    public StepResult Execute(StepPlan plan)
    {
        var result = inner.Execute(plan);
        ran(plan);
        return result;
    }

    /// <summary>Frees nothing.</summary>
    public void Dispose()
    {
    }
}
