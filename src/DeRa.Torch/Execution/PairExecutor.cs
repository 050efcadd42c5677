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
    /// <summary>Elements of logits that exist at once for each pass: scored prompts are projected piece by piece.</summary>
    private const int MaxLogitElements = 1 << 24;

    private readonly IReadOnlyList<ModelRunner> _runners;
    private readonly ModelRunner[] _runnerOf; // by model
    private readonly IReadOnlyList<int?>[] _windows; // by runner: those of all runners that may share its steps
    private readonly StepThreads _threads;
    private readonly StepReader _reader;
    private readonly PassOutputs[] _outputs; // by runner
    private readonly List<PassOutputs> _passes = []; // of the step under way
    private readonly PassOutputs?[] _byModel;
    private readonly List<ModelRow>[] _rows; // by pass
    private readonly StepLayout[] _layouts; // likewise
    private readonly ModelStep[] _steps; // likewise

    /// <param name="runners">Each member of the pair belongs to one of them.</param>
    /// <param name="limits">Their limits; runners and slots are filled in.</param>
    internal PairExecutor(IReadOnlyList<ModelRunner> runners, ExecutorLimits limits)
        : this(runners, limits, MeansOf(runners, limits.VocabularySize), MaxLogitElements)
    {
    }

    private PairExecutor(IReadOnlyList<ModelRunner> runners, ExecutorLimits limits, MeanDifferences? means, int maxLogitElements)
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
        _reader = new StepReader(_runnerOf, Math.Max(1, maxLogitElements / limits.VocabularySize), limits.VocabularySize, means);
        (_outputs, _byModel) = ([.. runners.Select(runner => new PassOutputs(runner))], new PassOutputs?[_runnerOf.Length]);
        _rows = [.. runners.Select(_ => new List<ModelRow>())];
        (_layouts, _steps) = ([.. runners.Select(_ => new StepLayout())], new ModelStep[runners.Count]);
    }

    /// <inheritdoc/>
    public ExecutorLimits Limits { get; }

    /// <summary>With what guesses are estimated; null where models take no turns.</summary>
    internal MeanDifferences? Means { get; }

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
    internal PairExecutor InPieces(int maxLogitElements) => new(_runners, Limits, Means, maxLogitElements);

    private StepResult Run(StepPlan plan)
    {
        using var inference = inference_mode();
        using var scope = NewDisposeScope();
        if (plan.BlockCopies.Count > 0)
            foreach (var runner in _runners) runner.CopyBlocks(plan.BlockCopies, Limits.BlockCount);
        Run(plan.Passes);
        var began = Stopwatch.GetTimestamp();
        return new StepResult(_reader.Run(_passes, _byModel, plan.Readouts)) { MixAndSampleTime = Stopwatch.GetElapsedTime(began) };
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
    private void Run(IReadOnlyList<ModelPass> passes)
    {
        for (var i = 0; i < passes.Count; i++)
        {
            var runner = _runners[passes[i].Runner];
            runner.Lay(passes[i].Rows, Limits.BlockCount, _rows[i]);
            _steps[i] = Shared(passes, i) ?? new ModelStep(
                _rows[i], _windows[passes[i].Runner], Limits.BlockTokens, runner.Model.Device, runner.Model.ActivationType, _layouts[i]);
        }
        _passes.Clear();
        Array.Clear(_byModel);
        for (var i = 0; i < passes.Count; i++)
        {
            var runner = _runners[passes[i].Runner];
            var outputs = _outputs[passes[i].Runner];
            outputs.Begin(passes[i].Rows, runner.Model.Forward(_steps[i], runner.Cache));
            _passes.Add(outputs);
            foreach (var member in runner.Members) _byModel[member.Index] = outputs;
        }
    }

    /// <summary>The step of an earlier pass of the same device and dtype over the same rows.</summary>
    private ModelStep? Shared(IReadOnlyList<ModelPass> passes, int pass)
    {
        for (var other = 0; other < pass; other++)
            if (_runners[passes[other].Runner].HasSameDeviceAndType(_runners[passes[pass].Runner]) && AreSame(_rows[other], _rows[pass]))
                return _steps[other];
        return null;
    }

    private static bool AreSame(List<ModelRow> rows, List<ModelRow> others)
    {
        if (rows.Count != others.Count) return false;
        for (var i = 0; i < rows.Count; i++)
            if (!rows[i].IsSame(others[i])) return false;
        return true;
    }
}
