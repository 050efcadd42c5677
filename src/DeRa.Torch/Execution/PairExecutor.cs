using System.Diagnostics;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Runs steps on the models of a pair: copies blocks, runs each runner's pass, then mixes, filters and samples what is read out.
/// Engine thread only.
/// </summary>
public sealed class PairExecutor : IStepExecutor
{
    private readonly IReadOnlyList<ModelRunner> _runners;
    private readonly ModelRunner[] _runnerOf; // by model
    private readonly IReadOnlyList<int?>[] _windows; // by runner: those of all runners that may share its steps
    private readonly StepThreads _threads;

    /// <param name="runners">Each member of the pair belongs to one of them.</param>
    /// <param name="limits">Their limits; runners and slots are filled in.</param>
    internal PairExecutor(IReadOnlyList<ModelRunner> runners, ExecutorLimits limits)
        : this(runners, limits, MeansOf(runners, limits.VocabularySize))
    {
    }

    private PairExecutor(IReadOnlyList<ModelRunner> runners, ExecutorLimits limits, MeanDifferences? means)
    {
        Means = means;
        _runners = runners;
        _runnerOf = [.. runners.SelectMany(runner => runner.Members.Select(member => (member.Index, Runner: runner)))
            .OrderBy(member => member.Index).Select(member => member.Runner)];
        _windows = [.. runners.Select(runner => (IReadOnlyList<int?>)[.. runners.Where(runner.HasSameDeviceAndType)
            .SelectMany(other => other.Model.Config.WindowTokens).Distinct()])];
        _threads = new StepThreads([.. runners.Select(runner => runner.Model)]);
        Limits = limits with
        {
            Runners = [.. runners.Select(runner => runner.Limits)],
            LogitSlots = runners.Min(runner => runner.KeptLogits.Slots),
        };
    }

    /// <inheritdoc/>
    public ExecutorLimits Limits { get; }

    /// <summary>With what guesses are estimated; null where models take no turns.</summary>
    internal MeanDifferences? Means { get; }

    /// <summary>Elements of logits that exist at once for each pass: scored prompts are projected piece by piece.</summary>
    private int MaxLogitElements { get; init; } = 1 << 24;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The plan is outside the limits; nothing has run.</exception>
    public StepResult Execute(StepPlan plan)
    {
        new PlanCheck(plan, Limits).Verify();
        _threads.Set(plan.Passes);
        try
        {
            return Run(plan);
        }
        finally
        {
            _threads.Reset();
        }
    }

    /// <summary>Frees models, caches, kept logits and mean differences.</summary>
    public void Dispose()
    {
        Means?.Dispose();
        foreach (var runner in _runners) runner.Dispose();
    }

    /// <summary>This executor with another bound on the logits that exist at once for each pass; for tests.</summary>
    internal PairExecutor InPieces(int maxLogitElements) => new(_runners, Limits, Means) { MaxLogitElements = maxLogitElements };

    private StepResult Run(StepPlan plan)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        if (plan.BlockCopies.Count > 0)
            foreach (var runner in _runners) runner.CopyBlocks(plan.BlockCopies, Limits.BlockCount);
        var passes = Run(plan.Passes);
        var began = Stopwatch.GetTimestamp();
        var reader = new StepReader(_runnerOf, passes, ByModel(plan.Passes, passes), plan.Readouts,
            Math.Max(1, MaxLogitElements / Limits.VocabularySize), Limits.VocabularySize, Means);
        return new StepResult(reader.Run()) { MixAndSampleTime = Stopwatch.GetElapsedTime(began) };
    }

    /// <summary>Models that share a pass, or are on different devices, do not take turns: they need no estimates of each other.</summary>
    private static MeanDifferences? MeansOf(IReadOnlyList<ModelRunner> runners, int vocabularySize)
    {
        for (var i = 1; i < runners.Count; i++)
            if (runners[i].Limits.Device != runners[0].Limits.Device) return null;
        return runners.Count == 1 ? null
            : new MeanDifferences(runners.Sum(runner => runner.Members.Count), vocabularySize, runners[0].Model.Device);
    }

    /// <summary>Lays all passes out before the first runs: on a GPU, an upload may wait for what is queued before it.</summary>
    private List<PassOutputs> Run(IReadOnlyList<ModelPass> passes)
    {
        var (rows, steps) = (new ModelRow[passes.Count][], new ModelStep[passes.Count]);
        for (var i = 0; i < steps.Length; i++)
        {
            var runner = _runners[passes[i].Runner];
            rows[i] = runner.Lay(passes[i].Rows, Limits.BlockCount);
            steps[i] = Shared(passes, rows, steps, i) ?? new ModelStep(
                rows[i], _windows[passes[i].Runner], Limits.BlockTokens, runner.Model.Device, runner.Model.ActivationType);
        }
        var outputs = new List<PassOutputs>(steps.Length);
        for (var i = 0; i < steps.Length; i++)
        {
            var runner = _runners[passes[i].Runner];
            outputs.Add(new PassOutputs(runner, passes[i].Rows, runner.Model.Forward(steps[i], runner.Cache)));
        }
        return outputs;
    }

    /// <summary>The step of an earlier pass of the same device and dtype over the same rows.</summary>
    private ModelStep? Shared(IReadOnlyList<ModelPass> passes, ModelRow[][] rows, ModelStep[] steps, int pass)
    {
        for (var other = 0; other < pass; other++)
            if (_runners[passes[other].Runner].HasSameDeviceAndType(_runners[passes[pass].Runner]) && AreSame(rows[other], rows[pass]))
                return steps[other];
        return null;
    }

    private static bool AreSame(ModelRow[] rows, ModelRow[] others)
    {
        if (rows.Length != others.Length) return false;
        for (var i = 0; i < rows.Length; i++)
            if (!rows[i].IsSame(others[i])) return false;
        return true;
    }

    private PassOutputs?[] ByModel(IReadOnlyList<ModelPass> passes, List<PassOutputs> outputs)
    {
        var byModel = new PassOutputs?[_runnerOf.Length];
        for (var i = 0; i < passes.Count; i++)
            foreach (var member in _runners[passes[i].Runner].Members) byModel[member.Index] = outputs[i];
        return byModel;
    }
}
