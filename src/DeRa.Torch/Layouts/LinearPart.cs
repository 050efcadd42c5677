using static TorchSharp.torch;

namespace DeRa.Torch.Layouts;

/// <summary>A module of the checkpoint that is part of a fused weight.</summary>
/// <param name="Module">Its name in a layer, such as <c>self_attn.q_proj</c>.</param>
/// <param name="Outputs">How many rows of the fused weight are its.</param>
/// <param name="IsTransposed">Whether its weight is stored as [inputs, outputs].</param>
/// <param name="Order">How its stored outputs are reordered; null where they are not.</param>
internal sealed record LinearPart(string Module, long Outputs, bool IsTransposed = false, RowOrder? Order = null)
{
    /// <summary>The shape of its weight in the checkpoint.</summary>
    public long[] StoredShape(long inputs) => IsTransposed ? [inputs, Outputs] : [Outputs, inputs];

    /// <summary>A view of its rows in a fused weight, elements as the checkpoint stores the weight.</summary>
    /// <param name="rows">[outputs, inputs].</param>
    public Tensor WeightAsStored(Tensor rows) => IsTransposed ? rows.t() : OutputsAsStored(rows);

    /// <summary>A view of whatever belongs to its outputs (a bias, a low-rank factor), in the order in which they are stored.</summary>
    /// <param name="rows">[outputs, …].</param>
    public Tensor OutputsAsStored(Tensor rows) => Order?.AsStored(rows) ?? rows;
}
