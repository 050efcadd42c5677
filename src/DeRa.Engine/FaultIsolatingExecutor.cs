using DeRa.Engine.Scheduling;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>
/// Keeps one row's fault from the others: a step that throws is run again row by row, and only the rows that throw alone
/// fail. Repeating is safe because a step writes the same cache entries each time.
/// </summary>
internal sealed class FaultIsolatingExecutor(IStepExecutor executor, ILogger log) : IDisposable
{
    private int _failedSteps;

    /// <summary>
    /// Steps in a row in which every row failed, whether the models threw or gave no finite logits. Devices have faults that last, and
    /// weights may be broken: the heartbeat then goes on while nothing works any more. Any thread.
    /// </summary>
    public int FailedSteps => Volatile.Read(ref _failedSteps);

    public StepResult Execute(StepPlan plan)
    {
        if (plan.Rows.Count == 0) return new StepResult([]);
        var result = ExecuteOrFail(plan);
        Volatile.Write(ref _failedSteps, HasSuccess(result.Rows) ? 0 : _failedSteps + 1);
        return result;
    }

    private StepResult ExecuteOrFail(StepPlan plan)
    {
        try
        {
            return executor.Execute(plan);
        }
        catch (Exception fault)
        {
            EngineLog.StepFailed(log, plan.Rows.Count, fault);
            return new StepResult(plan.Rows.Count == 1 ? [Failed(fault)] : [.. plan.Rows.Select(Alone)]);
        }
    }

    public void Dispose() => executor.Dispose();

    private static bool HasSuccess(IReadOnlyList<RowResult> rows)
    {
        for (var i = 0; i < rows.Count; i++)
            if (rows[i].Error is null) return true;
        return false;
    }

    private RowResult Alone(StepRow row)
    {
        try
        {
            return executor.Execute(new StepPlan([row])).Rows[0];
        }
        catch (Exception fault)
        {
            return Failed(fault);
        }
    }

    private static RowResult Failed(Exception fault) => new() { Error = $"The model failed: {FirstLine(fault.Message)}" };

    /// <summary>A native library's message goes on with its call stack; the whole of it is in the log.</summary>
    private static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd();
}
