using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Reads steps' logits out, in groups of readouts so small that their logits fit: each output's logits are computed once, even
/// where they are kept and read more than once. Its memory is used again in the next step.
/// </summary>
/// <param name="runners">By model; models of one runner have the same.</param>
/// <param name="rowsAtOnce">Outputs of a pass whose logits exist at once; at least 1.</param>
/// <param name="vocabularySize">Size of the vocabulary.</param>
/// <param name="means">The models' mean differences; null where no guesses are estimated with them.</param>
internal sealed class StepReader(ModelRunner[] runners, int rowsAtOnce, int vocabularySize, MeanDifferences? means)
{
    private readonly SourceRows[] _sources = [.. runners.Select(_ => new SourceRows())]; // by model
    private readonly ModelLogits[] _members = new ModelLogits[runners.Length];
    private readonly List<LogitRow> _rows = [];
    private readonly List<List<int>> _knownModels = []; // by the place of a guess among those of a group
    private ReadoutResult[] _results = [];
    private List<PassOutputs> _passes = [];
    private PassOutputs?[] _outputs = []; // by model
    private IReadOnlyList<Readout> _readouts = [];
    private int _compared; // the readout whose models' differences are added to the means; −1 = none

    /// <summary>Reads all of a step, and keeps what the plan keeps.</summary>
    /// <param name="passes">The step's passes.</param>
    /// <param name="outputs">By model: its runner's pass; null where there is none.</param>
    /// <param name="readouts">What is read; checked.</param>
    /// <returns>One a readout, until the next step is read.</returns>
    public IReadOnlyList<ReadoutResult> Run(
        List<PassOutputs> passes, PassOutputs?[] outputs, IReadOnlyList<Readout> readouts)
    {
        (_passes, _outputs, _readouts) = (passes, outputs, readouts);
        _compared = means is null ? -1 : FirstComparable(readouts);
        if (_results.Length < readouts.Count) _results = new ReadoutResult[Math.Max(readouts.Count, 2 * _results.Length)];
        var first = 0;
        do
        {
            using var scope = NewDisposeScope();
            var end = Choose(first);
            foreach (var pass in _passes) pass.Project();
            Read(first, end);
            foreach (var pass in _passes) pass.Clear();
            first = end;
        }
        while (first < readouts.Count || HasLeftToKeep());
        return new ArraySegment<ReadoutResult>(_results, 0, readouts.Count);
    }

    private bool HasLeftToKeep()
    {
        foreach (var pass in _passes)
            if (pass.HasLeftToKeep) return true;
        return false;
    }

    /// <summary>Chooses the outputs of the next group, with the last one those that are only kept; returns the group's end.</summary>
    private int Choose(int first)
    {
        var end = first;
        while (end < _readouts.Count && (end == first || HasRoom(end - first) || SharesOutput(_readouts[end])))
        {
            var readout = _readouts[end++];
            for (var i = 0; i < readout.Sources.Count; i++)
                if (IsOwn(readout.Sources[i])) Outputs(readout, i).Choose(readout.Sources[i]);
        }
        if (end == _readouts.Count)
            foreach (var pass in _passes) pass.ChooseKept(rowsAtOnce);
        return end;
    }

    private bool HasRoom(int readouts)
    {
        foreach (var pass in _passes)
            if (pass.ChosenCount >= rowsAtOnce) return false;
        return readouts < rowsAtOnce;
    }

    private bool SharesOutput(Readout readout)
    {
        for (var i = 0; i < readout.Sources.Count; i++)
            if (IsOwn(readout.Sources[i]) && Outputs(readout, i).IsChosen(readout.Sources[i])) return true;
        return false;
    }

    private PassOutputs Outputs(Readout readout, int source) => _outputs[readout.Strengths.ActiveModels[source]]!;

    private void Read(int first, int end)
    {
        if (first == end) return;
        for (var model = 0; model < _members.Length; model++) _members[model] = Gather(model, first, end);
        _rows.Clear();
        var guesses = 0;
        for (var i = first; i < end; i++)
        {
            var known = KnownModels(_readouts[i], guesses);
            if (known is not null) guesses++;
            _rows.Add(ToLogitRow(_readouts[i], known, i == _compared));
        }
        MixFilterSample.Run(_members, _rows, vocabularySize, means, _results.AsMemory(first, end - first));
    }

    /// <summary>One model's logits for readouts [first, end).</summary>
    private ModelLogits Gather(int model, int first, int end)
    {
        var own = _sources[model];
        own.Clear();
        for (var i = first; i < end; i++)
        {
            if (SourceOf(_readouts[i], model) is not { IsKnown: true } source) continue;
            if (source.IsKept)
            {
                own.KeptRows.Add(i - first);
                own.Slots.Add(source.Slot);
                continue;
            }
            own.Rows.Add(i - first);
            own.Outputs.Add(source);
        }
        if (own.Rows.Count + own.KeptRows.Count == 0) return ModelLogits.None;
        return new ModelLogits(own.Rows.Count == 0 ? null : _outputs[model]!.Logits(own.Outputs), own.Rows)
        {
            Kept = own.KeptRows.Count == 0 ? null : new KeptRows(runners[model].KeptLogits, own.Slots, own.KeptRows),
        };
    }

    private static LogitSource? SourceOf(Readout readout, int model)
    {
        var active = readout.Strengths.ActiveModels;
        for (var i = 0; i < active.Length; i++)
            if (active[i] == model) return readout.Sources[i];
        return null;
    }

    /// <summary>Whether logits are an output of this step.</summary>
    private static bool IsOwn(LogitSource source) => source is { IsKnown: true, IsKept: false };

    /// <summary>The first decision in which the reference and another model are active; −1 where there is none.</summary>
    private static int FirstComparable(IReadOnlyList<Readout> readouts)
    {
        for (var i = 0; i < readouts.Count; i++)
            if (readouts[i] is { Sampling: not null, Strengths.ActiveModels: [0, _, ..] } readout
                && CountKnown(readout) == readout.Sources.Count) return i;
        return -1;
    }

    private static int CountKnown(Readout readout)
    {
        var count = 0;
        for (var i = 0; i < readout.Sources.Count; i++)
            if (readout.Sources[i].IsKnown) count++;
        return count;
    }

    /// <summary>The active models whose logits are known; null where all are.</summary>
    private List<int>? KnownModels(Readout readout, int guess)
    {
        var active = readout.Strengths.ActiveModels;
        if (CountKnown(readout) == active.Length) return null;
        if (guess == _knownModels.Count) _knownModels.Add([]);
        var known = _knownModels[guess];
        known.Clear();
        for (var i = 0; i < active.Length; i++)
            if (readout.Sources[i].IsKnown) known.Add(active[i]);
        return known;
    }

    private static LogitRow ToLogitRow(Readout readout, List<int>? knownModels, bool updatesMeans) => new()
    {
        Strengths = readout.Strengths,
        KnownModels = knownModels,
        UpdatesMeans = updatesMeans,
        Sampling = readout.Sampling,
        Score = readout.Score is { } score ? (score.Token, score.Alternatives) : null,
        Sweep = readout.Sweep,
    };

    /// <summary>Where a model's logits for the readouts of a group are.</summary>
    private sealed class SourceRows
    {
        /// <summary>The readouts whose logits the step's pass gives.</summary>
        public List<int> Rows { get; } = [];

        /// <summary>Those of <see cref="Rows"/>.</summary>
        public List<LogitSource> Outputs { get; } = [];

        /// <summary>The readouts whose logits were kept.</summary>
        public List<int> KeptRows { get; } = [];

        /// <summary>Where.</summary>
        public List<int> Slots { get; } = [];

        public void Clear()
        {
            Rows.Clear();
            Outputs.Clear();
            KeptRows.Clear();
            Slots.Clear();
        }
    }
}
