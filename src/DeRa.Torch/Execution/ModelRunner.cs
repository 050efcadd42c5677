using DeRa.Torch.Caching;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// One loaded model with its cache, the members of the pair that it computes (two where both use one folder; one more for each
/// adapter over it), and its outputs in the current step.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="cache">Its pool: for each member in turn as many blocks as the pair has.</param>
/// <param name="members">At least one.</param>
internal sealed class ModelRunner(DecoderModel model, KvCache cache, IReadOnlyList<RunnerMember> members)
{
    private readonly int[][] _outputs = new int[members.Count][];
    private Tensor? _hidden; // [outputs of all members in turn, hidden]

    /// <summary>The model.</summary>
    public DecoderModel Model => model;

    /// <summary>Its cache.</summary>
    public KvCache Cache => cache;

    /// <summary>The members of the pair that it computes.</summary>
    public IReadOnlyList<RunnerMember> Members => members;

    /// <summary>Whether both can share index tensors where they run the same rows.</summary>
    public bool HasSameDeviceAndType(ModelRunner other) =>
        model.Device.type == other.Model.Device.type && model.Device.index == other.Model.Device.index
        && model.ElementType == other.Model.ElementType;

    /// <summary>Runs rows and keeps the last layer's output until <see cref="Clear"/>.</summary>
    /// <param name="step">The rows, laid out on this model's device.</param>
    /// <param name="outputs">For each member in turn: which of the plan's outputs each of its outputs is, in ascending order.</param>
    public void Run(ModelStep step, IEnumerable<int[]> outputs)
    {
        var part = 0;
        foreach (var own in outputs) _outputs[part++] = own;
        _hidden = model.Forward(step, cache);
    }

    /// <summary>The logits of the plan's outputs [first, end) that each member ran, with indices relative to first.</summary>
    /// <param name="first">The first output.</param>
    /// <param name="end">One past the last.</param>
    /// <param name="members">Receives them, by the member's index.</param>
    public void AddLogits(int first, int end, ModelLogits[] members)
    {
        if (_hidden is null) return;
        var pieces = Pieces(first, end);
        if (pieces.Count == 0) return;
        var hidden = pieces.ConvertAll(piece => _hidden.narrow(0, piece.From, piece.Rows.Count));
        var logits = model.Logits(hidden.Count == 1 ? hidden[0] : cat(hidden, 0));
        long from = 0;
        foreach (var (member, _, rows) in pieces)
        {
            members[member] = new ModelLogits(logits.narrow(0, from, rows.Count), rows);
            from += rows.Count;
        }
    }

    /// <summary>Drops the step's outputs; its tensors belong to the step's scope.</summary>
    public void Clear() => _hidden = null;

    /// <summary>For each member that ran any of the outputs: where its rows begin in the hidden states, and their outputs.</summary>
    private List<(int Member, int From, List<int> Rows)> Pieces(int first, int end)
    {
        var pieces = new List<(int, int, List<int>)>(members.Count);
        var before = 0;
        for (var part = 0; part < members.Count; part++)
        {
            var outputs = _outputs[part];
            var from = Array.FindIndex(outputs, output => output >= first && output < end);
            if (from >= 0)
                pieces.Add((members[part].Index, before + from,
                    [.. outputs.Skip(from).TakeWhile(output => output < end).Select(output => output - first)]));
            before += outputs.Length;
        }
        return pieces;
    }
}

/// <summary>A member of the pair that a loaded model computes.</summary>
/// <param name="Index">0 = the reference, i = the aligned model i − 1.</param>
/// <param name="Adapter">Which of the model's adapters it adds; null = none.</param>
internal readonly record struct RunnerMember(int Index, int? Adapter = null);
