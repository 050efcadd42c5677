using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>One model of a pair with its cache, and what it gave in the running step.</summary>
internal sealed class ModelRunner(DecoderModel model, KvCache cache)
{
    private Tensor? _hidden; // [outputs, hidden]
    private int[] _outputs = [];

    /// <summary>The model.</summary>
    public DecoderModel Model => model;

    /// <summary>Its cache.</summary>
    public KvCache Cache => cache;

    /// <summary>Whether the same index tensors serve both.</summary>
    public bool CanShareStep(ModelRunner other) =>
        model.Device.type == other.Model.Device.type && model.Device.index == other.Model.Device.index
        && model.ElementType == other.Model.ElementType;

    /// <summary>Lays out rows for this model (and another that can share them).</summary>
    public ModelStep Prepare(IReadOnlyList<StepRow> rows, ModelRunner? other = null) => new(
        rows, model.Config.WindowTokens.Concat(other?.Model.Config.WindowTokens ?? []),
        cache.BlockTokens, model.Device, model.ElementType);

    /// <summary>Runs the step's rows and keeps the last layer's output until <see cref="Clear"/>.</summary>
    /// <param name="step">The rows, or null where this model runs none.</param>
    /// <param name="outputs">Which of the plan's outputs each of the step's outputs is, in rising order.</param>
    public void Run(ModelStep? step, int[] outputs)
    {
        _hidden = step is null ? null : model.Forward(step, cache);
        _outputs = outputs;
    }

    /// <summary>The logits of those of the plan's outputs [first, end) that this model ran; counted from first.</summary>
    public ModelLogits Logits(int first, int end)
    {
        var from = Array.FindIndex(_outputs, output => output >= first && output < end);
        if (_hidden is null || from < 0) return ModelLogits.None;
        var count = _outputs.Count(output => output >= first && output < end);
        var rows = _outputs.Skip(from).Take(count).Select(output => output - first).ToList();
        return new ModelLogits(model.Logits(_hidden.narrow(0, from, count)), rows);
    }

    /// <summary>Forgets the step; its tensors belong to the step's scope.</summary>
    public void Clear() => (_hidden, _outputs) = (null, []);
}
