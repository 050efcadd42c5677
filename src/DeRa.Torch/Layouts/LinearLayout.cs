namespace DeRa.Torch.Layouts;

/// <summary>
/// What a weight of a layer is made of: modules of the checkpoint, one below the other. The one description that loading,
/// the check of names and shapes, and whatever adds to single modules share.
/// </summary>
/// <param name="Inputs">Columns of the weight.</param>
/// <param name="HasBias">Whether every part has a bias.</param>
/// <param name="Parts">Its rows, from the first on. A transposed part has no row order.</param>
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
