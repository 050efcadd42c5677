using static TorchSharp.torch;

namespace DeRa.Torch.Layouts;

/// <summary>
/// The parts of a fused weight of a layer: modules of the checkpoint, stacked by rows. Loading, the check of
/// names and shapes, and adapters of single modules all read this description.
/// </summary>
/// <param name="Inputs">Columns of the weight.</param>
/// <param name="HasBias">Whether every part has a bias.</param>
/// <param name="Parts">Its parts, in the order of its rows. A transposed part is not interleaved.</param>
internal sealed record LinearLayout(long Inputs, bool HasBias, params IReadOnlyList<LinearPart> Parts)
{
    /// <summary>Rows of the weight.</summary>
    public long Outputs => Parts.Sum(part => part.Outputs);

    /// <summary>Names in a layer and shapes of the tensors it is read from.</summary>
    public IEnumerable<(string Name, long[] Shape)> Tensors =>
        from part in Parts
        from tensor in HasBias
            ? new[] { (part.Module + ".weight", part.StoredShape(Inputs)), (part.Module + ".bias", [part.Outputs]) }
            : [(part.Module + ".weight", part.StoredShape(Inputs))]
        select tensor;
}

/// <summary>A module of the checkpoint that is part of a fused weight.</summary>
/// <param name="Module">Its name in a layer, such as <c>self_attn.q_proj</c>.</param>
/// <param name="Outputs">How many rows of the fused weight it fills.</param>
/// <param name="IsTransposed">Whether its weight is stored as [inputs, outputs].</param>
/// <param name="InterleavedHeads">
/// Heads whose queries, keys and values the checkpoint interleaves: its outputs are [heads, 3, width], those of the fused weight
/// [3, heads, width]. 0 = the order is the same.
/// </param>
internal sealed record LinearPart(string Module, long Outputs, bool IsTransposed = false, int InterleavedHeads = 0)
{
    /// <summary>The shape of its weight in the checkpoint.</summary>
    public long[] StoredShape(long inputs) => IsTransposed ? [inputs, Outputs] : [Outputs, inputs];

    /// <summary>A view of its rows in a fused weight, elements as the checkpoint stores the weight.</summary>
    /// <param name="rows">[outputs, inputs].</param>
    public Tensor WeightAsStored(Tensor rows) => IsTransposed ? rows.t() : OutputsAsStored(rows);

    /// <summary>A view of whatever belongs to its outputs (a bias, a low-rank factor), in the order in which they are stored.</summary>
    /// <param name="rows">[outputs, …].</param>
    /// <returns>[outputs, …], or [heads, 3, width, …] where heads are interleaved; over the same memory.</returns>
    public Tensor OutputsAsStored(Tensor rows) => InterleavedHeads == 0 ? rows
        : rows.view([3, InterleavedHeads, rows.size(0) / (3 * InterleavedHeads), .. rows.shape[1..]]).transpose(0, 1);
}
