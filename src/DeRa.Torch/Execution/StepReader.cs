using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Reads a step's logits out, in groups of readouts so small that their logits fit: each output's logits are computed once, even
/// where they are kept and read more than once.
/// </summary>
internal sealed class StepReader
{
    private readonly ModelRunner[] _runners; // by model
    private readonly PassOutputs?[] _outputs; // by model
    private readonly List<PassOutputs> _passes;
    private readonly IReadOnlyList<Readout> _readouts;
    private readonly int _rowsAtOnce;
    private readonly int _vocabularySize;
    private readonly MeanDifferences? _means;
    private readonly int _compared; // the readout whose models' differences are added to the means; −1 = none

    /// <param name="runners">By model; models of one runner have the same.</param>
    /// <param name="passes">The step's passes.</param>
    /// <param name="outputs">By model: its runner's pass; null where there is none.</param>
    /// <param name="readouts">What is read; checked.</param>
    /// <param name="rowsAtOnce">Outputs of a pass whose logits exist at once; at least 1.</param>
    /// <param name="vocabularySize">Size of the vocabulary.</param>
    /// <param name="means">The models' mean differences; null where no guesses are estimated with them.</param>
    public StepReader(ModelRunner[] runners, List<PassOutputs> passes, PassOutputs?[] outputs, IReadOnlyList<Readout> readouts,
        int rowsAtOnce, int vocabularySize, MeanDifferences? means)
    {
        (_runners, _passes, _outputs, _readouts) = (runners, passes, outputs, readouts);
        (_rowsAtOnce, _vocabularySize) = (rowsAtOnce, vocabularySize);
        (_means, _compared) = (means, means is null ? -1 : FirstComparable(readouts));
    }

    /// <summary>Reads all, and keeps what the plan keeps.</summary>
    /// <returns>One a readout.</returns>
    public ReadoutResult[] Run()
    {
        var results = new ReadoutResult[_readouts.Count];
        var first = 0;
        do
        {
            using var scope = NewDisposeScope();
            var end = Choose(first);
            foreach (var pass in _passes) pass.Project();
            Read(first, end, results);
            foreach (var pass in _passes) pass.Clear();
            first = end;
        }
        while (first < results.Length || _passes.Exists(pass => pass.HasLeftToKeep));
        return results;
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
            foreach (var pass in _passes) pass.ChooseKept(_rowsAtOnce);
        return end;
    }

    private bool HasRoom(int readouts) => readouts < _rowsAtOnce && _passes.TrueForAll(pass => pass.ChosenCount < _rowsAtOnce);

    private bool SharesOutput(Readout readout)
    {
        for (var i = 0; i < readout.Sources.Count; i++)
            if (IsOwn(readout.Sources[i]) && Outputs(readout, i).IsChosen(readout.Sources[i])) return true;
        return false;
    }

    private PassOutputs Outputs(Readout readout, int source) => _outputs[readout.Strengths.ActiveModels[source]]!;

    private void Read(int first, int end, ReadoutResult[] results)
    {
        if (first == end) return;
        var members = new ModelLogits[_runners.Length];
        for (var model = 0; model < members.Length; model++) members[model] = Gather(model, first, end);
        var rows = new List<LogitRow>(end - first);
        for (var i = first; i < end; i++) rows.Add(ToLogitRow(_readouts[i], i == _compared));
        var read = MixFilterSample.Run(members, rows, _vocabularySize, _means);
        read.CopyTo(results, first);
    }

    /// <summary>One model's logits for readouts [first, end).</summary>
    private ModelLogits Gather(int model, int first, int end)
    {
        var (rows, keptRows, sources, slots) = (new List<int>(end - first), new List<int>(), new List<LogitSource>(), new List<long>());
        for (var i = first; i < end; i++)
        {
            if (SourceOf(_readouts[i], model) is not { IsKnown: true } source) continue;
            if (source.IsKept)
            {
                keptRows.Add(i - first);
                slots.Add(source.Slot);
                continue;
            }
            rows.Add(i - first);
            sources.Add(source);
        }
        if (keptRows.Count == 0) return rows.Count == 0 ? ModelLogits.None : new ModelLogits(_outputs[model]!.Logits(sources), rows);
        var runner = _runners[model];
        var kept = runner.KeptLogits.Read(tensor(slots, ScalarType.Int64, runner.Model.Device));
        if (rows.Count == 0) return new ModelLogits(kept, keptRows);
        var own = _outputs[model]!.Logits(sources).narrow(1, 0, _vocabularySize).to(ScalarType.Float32);
        rows.AddRange(keptRows);
        return new ModelLogits(cat([own, kept], 0), rows);
    }

    private static LogitSource? SourceOf(Readout readout, int model)
    {
        var active = readout.Strengths.ActiveModels;
        for (var i = 0; i < active.Count; i++)
            if (active[i] == model) return readout.Sources[i];
        return null;
    }

    /// <summary>Whether logits are an output of this step.</summary>
    private static bool IsOwn(LogitSource source) => source is { IsKnown: true, IsKept: false };

    /// <summary>The first decision in which the reference and another model are active; −1 where there is none.</summary>
    private static int FirstComparable(IReadOnlyList<Readout> readouts)
    {
        for (var i = 0; i < readouts.Count; i++)
            if (readouts[i] is { Sampling: not null, Strengths.ActiveModels: [0, _, ..] } readout && KnownModels(readout) is null) return i;
        return -1;
    }

    /// <summary>The active models whose logits are known; null where all are.</summary>
    private static List<int>? KnownModels(Readout readout)
    {
        var (count, active) = (0, readout.Strengths.ActiveModels);
        for (var i = 0; i < active.Count; i++)
            if (readout.Sources[i].IsKnown) count++;
        if (count == active.Count) return null;
        var known = new List<int>(count);
        for (var i = 0; i < active.Count; i++)
            if (readout.Sources[i].IsKnown) known.Add(active[i]);
        return known;
    }

    private static LogitRow ToLogitRow(Readout readout, bool updatesMeans) => new()
    {
        Strengths = readout.Strengths,
        KnownModels = KnownModels(readout),
        UpdatesMeans = updatesMeans,
        Sampling = readout.Sampling,
        Score = readout.Score is { } score ? (score.Token, score.Alternatives) : null,
    };
}
