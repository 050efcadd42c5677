using System.Diagnostics;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Runs steps on the models of a pair: each row through the models that are active in it, each loaded model at most once a step;
/// then mixes, filters and samples. Engine thread only. A model that did not run a row has nothing of it in its cache: if strengths
/// change so that it becomes active, the scheduler has it run what it lacks.
/// </summary>
public sealed class PairExecutor : IStepExecutor
{
    /// <summary>Elements of logits that exist at once for each member: scored prompts are projected piece by piece.</summary>
    private const int MaxLogitElements = 1 << 24;

    private readonly IReadOnlyList<ModelRunner> _runners;
    private readonly int _memberCount;
    private readonly StepThreads _threads;

    /// <param name="runners">Each member of the pair belongs to one of them.</param>
    /// <param name="limits">Their limits; the number of models is filled in.</param>
    internal PairExecutor(IReadOnlyList<ModelRunner> runners, ExecutorLimits limits)
    {
        _runners = runners;
        _memberCount = runners.Sum(runner => runner.Members.Count);
        _threads = new StepThreads(runners);
        Limits = limits with { ModelCount = _memberCount };
    }

    /// <inheritdoc/>
    public ExecutorLimits Limits { get; }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">A row is outside the limits; nothing has run.</exception>
    public StepResult Execute(StepPlan plan)
    {
        PlanCheck.Verify(plan, Limits, alignedModels: _memberCount - 1);
        _threads.Set(plan);
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        var outputs = new StepOutputs(plan.Rows);
        try
        {
            RunModels(plan.Rows, outputs);
            var began = Stopwatch.GetTimestamp();
            var decoded = Decode(outputs.Rows);
            return outputs.ToStepResult(decoded) with { MixAndSampleTime = Stopwatch.GetElapsedTime(began) };
        }
        finally
        {
            foreach (var runner in _runners) runner.Clear();
        }
    }

    /// <summary>Frees models and caches.</summary>
    public void Dispose()
    {
        foreach (var runner in _runners)
        {
            runner.Cache.Dispose();
            runner.Model.Dispose();
        }
    }

    private void RunModels(IReadOnlyList<StepRow> rows, StepOutputs outputs)
    {
        var laidOut = new List<(ModelRunner Runner, RunnerStep Rows, ModelStep Step)>(_runners.Count);
        foreach (var runner in _runners)
        {
            var own = new RunnerStep(runner.Members, rows, Limits.BlockCount);
            if (own.Rows.Count == 0) continue;
            var same = laidOut.Find(other => other.Runner.HasSameDeviceAndType(runner) && other.Rows.IsSame(own));
            var step = same.Step ?? LayOut(runner, own);
            laidOut.Add((runner, own, step));
            runner.Run(step, runner.Members.Select((_, part) => outputs.IndicesOf(own.PlanRows(part))));
        }
    }

    /// <summary>With the windows of every model that may share the step.</summary>
    private ModelStep LayOut(ModelRunner runner, RunnerStep own) => new(
        own.Rows, _runners.Where(runner.HasSameDeviceAndType).SelectMany(other => other.Model.Config.WindowTokens),
        Limits.BlockTokens, runner.Model.Device, runner.Model.ElementType, own.Adapters);

    private List<LogitRowResult> Decode(List<LogitRow> rows)
    {
        var results = new List<LogitRowResult>(rows.Count);
        var rowsAtOnce = Math.Max(1, MaxLogitElements / Limits.VocabularySize);
        for (var first = 0; first < rows.Count; first += rowsAtOnce)
        {
            using var scope = NewDisposeScope();
            var end = Math.Min(rows.Count, first + rowsAtOnce);
            var members = new ModelLogits[_memberCount];
            Array.Fill(members, ModelLogits.None);
            foreach (var runner in _runners) runner.AddLogits(first, end, members);
            results.AddRange(MixFilterSample.Run(members, rows.GetRange(first, end - first), Limits.VocabularySize));
        }
        return results;
    }
}
