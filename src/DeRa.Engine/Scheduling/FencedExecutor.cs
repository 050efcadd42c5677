using Microsoft.Extensions.Logging;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Keeps one row's fault from the others: a step that throws is run again row by row, and only the rows that throw alone
/// fail. Repeating is safe because a step writes the same cache entries each time.
/// </summary>
internal sealed class FencedExecutor(IStepExecutor executor, ILogger log) : IDisposable
{
    private int _failedSteps;

    /// <summary>
    /// Steps in a row in which every row threw. Devices have faults that last: the heart then goes on beating while nothing
    /// works any more. Any thread.
    /// </summary>
    public int FailedSteps => Volatile.Read(ref _failedSteps);

    public StepResult Execute(StepPlan plan)
    {
        if (plan.Rows.Count == 0) return new StepResult([]);
        try
        {
            var result = executor.Execute(plan);
            Volatile.Write(ref _failedSteps, 0);
            return result;
        }
        catch (Exception fault)
        {
            EngineLog.StepFailed(log, plan.Rows.Count, fault);
            var failed = 0;
            var result = new StepResult(plan.Rows.Count == 1 ? [Failed(fault, ref failed)] : [.. RowByRow(plan.Rows, ref failed)]);
            Volatile.Write(ref _failedSteps, failed == plan.Rows.Count ? _failedSteps + 1 : 0);
            return result;
        }
    }

    public void Dispose() => executor.Dispose();

    private RowResult[] RowByRow(IReadOnlyList<StepRow> rows, ref int failed)
    {
        var results = new RowResult[rows.Count];
        for (var i = 0; i < results.Length; i++) results[i] = Alone(rows[i], ref failed);
        return results;
    }

    private RowResult Alone(StepRow row, ref int failed)
    {
        try
        {
            return executor.Execute(new StepPlan([row])).Rows[0];
        }
        catch (Exception fault)
        {
            return Failed(fault, ref failed);
        }
    }

    private static RowResult Failed(Exception fault, ref int failed)
    {
        failed++;
        return new RowResult { Error = $"The model failed: {FirstLine(fault.Message)}" };
    }

    /// <summary>A native library's message goes on with its call stack; the whole of it is in the log.</summary>
    private static string FirstLine(string message) => message.Split('\n', 2)[0].TrimEnd();
}
