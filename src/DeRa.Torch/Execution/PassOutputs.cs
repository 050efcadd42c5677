using System.Runtime.InteropServices;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// What a runner's pass has computed: the hidden states after its wanted tokens, and the logits of those that are chosen, which are
/// computed together. An output is one of the wanted tokens, counted over all rows in order. Its memory is used again in the next step.
/// </summary>
/// <param name="runner">The model that runs.</param>
internal sealed class PassOutputs(ModelRunner runner)
{
    private const int None = -1;

    private readonly List<int> _firstOutputs = []; // by row
    private readonly List<int> _slots = []; // by output: where it is still to be kept
    private readonly List<int> _places = []; // by output: its row in _logits
    private readonly List<int> _chosen = [];
    private readonly List<int> _rows = [], _targets = []; // scratch
    private Tensor? _hidden; // [outputs, hidden]
    private Tensor? _logits; // [chosen outputs, width ≥ vocabulary]
    private int _leftToKeep;

    /// <summary>Begins another step with nothing chosen.</summary>
    /// <param name="rows">The pass's rows.</param>
    /// <param name="hidden">[outputs, hidden], owned by the step's scope.</param>
    public void Begin(IReadOnlyList<PassRow> rows, Tensor hidden)
    {
        (_hidden, _logits, _leftToKeep) = (hidden, null, 0);
        _firstOutputs.Clear();
        _slots.Clear();
        _places.Clear();
        _chosen.Clear();
        for (var i = 0; i < rows.Count; i++)
        {
            _firstOutputs.Add(_slots.Count);
            var kept = rows[i].KeptSlots;
            _leftToKeep += kept.Count;
            for (var output = 0; output < rows[i].OutputCount; output++)
            {
                var slot = output - rows[i].OutputCount + kept.Count;
                _slots.Add(slot >= 0 ? kept[slot] : None);
                _places.Add(None);
            }
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
        for (var output = 0; output < _slots.Count && _chosen.Count < most; output++)
            if (_slots[output] != None) Choose(output);
    }

    /// <summary>Computes the logits of the chosen outputs, and keeps those that the plan keeps.</summary>
    public void Project()
    {
        if (_chosen.Count == 0) return;
        _logits = runner.Model.Logits(Rows(_hidden!, _chosen));
        if (_leftToKeep == 0) return;
        _rows.Clear();
        _targets.Clear();
        for (var place = 0; place < _chosen.Count; place++)
        {
            var slot = _slots[_chosen[place]];
            if (slot == None) continue;
            _rows.Add(place);
            _targets.Add(slot);
            _slots[_chosen[place]] = None;
        }
        if (_rows.Count == 0) return;
        _leftToKeep -= _rows.Count;
        runner.KeptLogits.Write(_targets, _logits, _rows);
    }

    /// <summary>The logits of readouts' outputs, which are chosen and projected: [sources, width ≥ vocabulary].</summary>
    public Tensor Logits(List<LogitSource> sources)
    {
        _rows.Clear();
        foreach (var source in sources) _rows.Add(_places[OutputOf(source)]);
        return Rows(_logits!, _rows);
    }

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
            if (rows[i] != rows[0] + i) return source.index_select(0, Indices(rows, source.device));
        return rows.Count == source.size(0) ? source : source.narrow(0, rows[0], rows.Count);
    }

    private static Tensor Indices(List<int> values, Device device) => DeviceTensor.Of(CollectionsMarshal.AsSpan(values), device);
}
