using Microsoft.Extensions.Logging;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Keeps one row's fault from the others: a step that throws is run again row by row, and only the rows that throw alone
/// fail. Repeating is safe because a step writes the same cache entries each time.
/// </summary>
internal sealed class FencedExecutor(IStepExecutor executor, ILogger log) : IDisposable
{
    public StepResult Execute(StepPlan plan)
    {
        if (plan.Rows.Count == 0) return new StepResult([]);
        try
        {
            return executor.Execute(plan);
        }
        catch (Exception fault)
        {
            EngineLog.StepFailed(log, plan.Rows.Count, fault);
            return plan.Rows.Count == 1 ? Failed(fault)
                : new StepResult([.. plan.Rows.Select(row => Alone(row).Rows[0])]);
        }
    }

    public void Dispose() => executor.Dispose();

    private StepResult Alone(StepRow row)
    {
        try
        {
            return executor.Execute(new StepPlan([row]));
        }
        catch (Exception fault)
        {
            return Failed(fault);
        }
    }

    private static StepResult Failed(Exception fault) =>
        new([new RowResult { Error = $"The model failed: {FirstLine(fault.Message)}" }]);

    /// <summary>A native library's message goes on with its call stack; the whole of it is in the log.</summary>
    private static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd();
}
