using DeRa.Engine.Scheduling;
using Microsoft.Extensions.Logging;

namespace DeRa.Engine;

/// <summary>
/// Keeps one branch's fault from the others: a step that throws is run again branch by branch, and only the branches that throw alone
/// fail. Repeating is safe because a step writes the same cache entries and logits each time, and blocks that it copies are not given away
/// before its end.
/// </summary>
internal sealed class FaultIsolatingExecutor(IStepExecutor executor, ILogger log) : IDisposable
{
    private static readonly StepResult s_nothing = new([]);
    private int _failedSteps;

    /// <summary>
    /// Steps in a row in which every branch failed, whether the models threw or gave no finite logits. Devices have faults that last, and
    /// weights may be broken: the heartbeat then goes on while nothing works any more. Any thread.
    /// </summary>
    public int FailedSteps => Volatile.Read(ref _failedSteps);

    public StepResult Execute(StepPlan plan)
    {
        if (plan is { Passes.Count: 0, Readouts.Count: 0, BlockCopies.Count: 0 }) return s_nothing;
        var result = ExecuteOrFail(plan);
        Volatile.Write(ref _failedSteps, HasSuccess(plan, result) ? 0 : _failedSteps + 1);
        return result;
    }

    public void Dispose() => executor.Dispose();

    private StepResult ExecuteOrFail(StepPlan plan)
    {
        try
        {
            return executor.Execute(plan);
        }
        catch (Exception fault)
        {
            var branches = BranchPlan.Branches(plan);
            EngineLog.StepFailed(log, branches.Count, fault);
            return branches.Count == 1
                ? new StepResult([.. plan.Readouts.Select(_ => new ReadoutResult())])
                {
                    FailedBranches = new Dictionary<int, string> { [branches[0]] = Failure(fault) },
                }
                : OneByOne(plan, branches);
        }
    }

    private StepResult OneByOne(StepPlan plan, IReadOnlyList<int> branches)
    {
        var readouts = new ReadoutResult[plan.Readouts.Count];
        var failed = new Dictionary<int, string>();
        Copy(plan.BlockCopies, failed);
        foreach (var branch in branches)
            try
            {
                var own = executor.Execute(BranchPlan.Of(plan, branch)).Readouts;
                for (int i = 0, next = 0; i < readouts.Length; i++)
                    if (plan.Readouts[i].Branch == branch) readouts[i] = own[next++];
            }
            catch (Exception fault)
            {
                failed[branch] = Failure(fault);
            }
        return new StepResult(readouts) { FailedBranches = failed };
    }

    /// <summary>Before any branch runs: it may write into what another's block is copied from.</summary>
    private void Copy(IReadOnlyList<BlockCopy> copies, Dictionary<int, string> failed)
    {
        if (copies.Count == 0) return;
        try
        {
            executor.Execute(new StepPlan([], []) { BlockCopies = copies });
        }
        catch (Exception fault)
        {
            foreach (var copy in copies) failed[copy.Branch] = Failure(fault);
        }
    }

    private static bool HasSuccess(StepPlan plan, StepResult result)
    {
        for (var i = 0; i < result.Readouts.Count; i++)
            if (result.Readouts[i].Error is null && !result.FailedBranches.ContainsKey(plan.Readouts[i].Branch)) return true;
        foreach (var pass in plan.Passes)
            foreach (var row in pass.Rows)
                if (row.OutputCount == 0 && !result.FailedBranches.ContainsKey(row.Branch)) return true;
        return false;
    }

    /// <summary>A native library's message goes on with its call stack; the whole of it is in the log.</summary>
    private static string Failure(Exception fault) => $"The model failed: {fault.Message.Split('\n', 2)[0].TrimEnd()}";
}
