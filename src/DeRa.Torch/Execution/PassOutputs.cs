using DeRa.Engine.Scheduling;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// What one pass has computed: the hidden states after its wanted tokens, and the logits of those that are chosen, which are
/// computed together. An output is one of the wanted tokens, counted over all rows in order.
/// </summary>
internal sealed class PassOutputs
{
    private const int None = -1;

    private readonly ModelRunner _runner;
    private readonly Tensor _hidden; // [outputs, hidden]
    private readonly int[] _firstOutputs; // by row
    private readonly int[] _slots; // by output: where it is still to be kept
    private readonly int[] _places; // by output: its row in _logits
    private readonly List<int> _chosen = [];
    private Tensor? _logits; // [chosen outputs, width ≥ vocabulary]
    private int _leftToKeep;

    /// <summary>Begins with nothing chosen.</summary>
    /// <param name="runner">The model that ran.</param>
    /// <param name="rows">The pass's rows.</param>
    /// <param name="hidden">[outputs, hidden], owned by the step's scope.</param>
    public PassOutputs(ModelRunner runner, IReadOnlyList<PassRow> rows, Tensor hidden)
    {
        (_runner, _hidden) = (runner, hidden);
        _firstOutputs = new int[rows.Count];
        (_slots, _places) = (new int[hidden.size(0)], new int[hidden.size(0)]);
        Array.Fill(_slots, None);
        Array.Fill(_places, None);
        var end = 0;
        for (var i = 0; i < rows.Count; i++)
        {
            _firstOutputs[i] = end;
            end += rows[i].OutputCount;
            var kept = rows[i].KeptSlots;
            _leftToKeep += kept.Count;
            for (var j = 0; j < kept.Count; j++) _slots[end - kept.Count + j] = kept[j];
        }
    }

    /// <summary>How many outputs are chosen.</summary>
    public int ChosenCount => _chosen.Count;

    /// <summary>Whether outputs that the plan keeps have not been kept yet.</summary>
    public bool HasLeftToKeep => _leftToKeep > 0;

    /// <summary>Whether a readout's output is chosen.</summary>
    public bool IsChosen(LogitSource source) => _places[OutputOf(source)] != None;

    /// <summary>Chooses a readout's output.</summary>
    public void Choose(LogitSource source) => Choose(OutputOf(source));

    /// <summary>Chooses outputs that have not been kept yet, until so many outputs are chosen.</summary>
    public void ChooseKept(int most)
    {
        for (var output = 0; output < _slots.Length && _chosen.Count < most; output++)
            if (_slots[output] != None) Choose(output);
    }

    /// <summary>Computes the logits of the chosen outputs, and keeps those that the plan keeps.</summary>
    public void Project()
    {
        if (_chosen.Count == 0) return;
        _logits = _runner.Model.Logits(Rows(_hidden, _chosen));
        if (_leftToKeep == 0) return;
        var (places, slots) = (new List<int>(), new List<long>());
        for (var place = 0; place < _chosen.Count; place++)
        {
            ref var slot = ref _slots[_chosen[place]];
            if (slot == None) continue;
            places.Add(place);
            slots.Add(slot);
            slot = None;
        }
        if (places.Count == 0) return;
        _leftToKeep -= places.Count;
        _runner.KeptLogits.Write(Indices(slots, _hidden.device), Rows(_logits, places));
    }

    /// <summary>The logits of readouts' outputs, which are chosen and projected: [sources, width ≥ vocabulary].</summary>
    public Tensor Logits(List<LogitSource> sources) => Rows(_logits!, sources.ConvertAll(source => _places[OutputOf(source)]));

    /// <summary>Ends the choice; the logits belong to the caller's scope.</summary>
    public void Clear()
    {
        foreach (var output in _chosen) _places[output] = None;
        _chosen.Clear();
        _logits = null;
    }

    private int OutputOf(LogitSource source) => _firstOutputs[source.Row] + source.Output;

    private void Choose(int output)
    {
        if (_places[output] != None) return;
        _places[output] = _chosen.Count;
        _chosen.Add(output);
    }

    /// <summary>Rows of a tensor, without a copy where they follow each other.</summary>
    private static Tensor Rows(Tensor source, List<int> rows)
    {
        for (var i = 1; i < rows.Count; i++)
            if (rows[i] != rows[0] + i) return source.index_select(0, Indices(rows.ConvertAll(row => (long)row), source.device));
        return rows.Count == source.size(0) ? source : source.narrow(0, rows[0], rows.Count);
    }

    private static Tensor Indices(List<long> values, Device device) => tensor(values, ScalarType.Int64, device);
}
