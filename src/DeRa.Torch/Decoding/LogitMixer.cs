using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>λ · aligned + (1 − λ) · reference, a row at a time (DeRa, eq. 6).</summary>
internal static class LogitMixer
{
    /// <summary>
    /// Mixes in float32. A row of strength 0 (1) is a copy of the reference (aligned) model's logits, which are then all it
    /// needs: nothing is multiplied by zero, so a logit of −∞ in the other model cannot turn into NaN.
    /// </summary>
    /// <returns>
    /// float32 [rows, vocabulary] on the aligned model's device (the reference's where the aligned model did not run). May
    /// share memory with a model's logits: never write to it.
    /// </returns>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public static Tensor Mix(ModelLogits reference, ModelLogits aligned, IReadOnlyList<LogitRow> rows, int vocabularySize)
    {
        var device = (aligned.Logits ?? reference.Logits)?.device ?? throw new InvalidOperationException("no model ran");
        var referenceOnly = Where(rows, strength => strength == 0);
        var alignedOnly = Where(rows, strength => strength == 1);
        var mixed = Where(rows, strength => strength is not 0 and not 1);
        if (mixed.Length == rows.Count) return Weigh(reference, aligned, mixed, rows, vocabularySize, device);
        if (referenceOnly.Length == rows.Count) return reference.Take(referenceOnly, vocabularySize, device);
        if (alignedOnly.Length == rows.Count) return aligned.Take(alignedOnly, vocabularySize, device);

        var result = empty([rows.Count, vocabularySize], ScalarType.Float32, device);
        if (referenceOnly.Length > 0) TensorRows.Put(result, referenceOnly, reference.Take(referenceOnly, vocabularySize, device));
        if (alignedOnly.Length > 0) TensorRows.Put(result, alignedOnly, aligned.Take(alignedOnly, vocabularySize, device));
        if (mixed.Length > 0) TensorRows.Put(result, mixed, Weigh(reference, aligned, mixed, rows, vocabularySize, device));
        return result;
    }

    private static Tensor Weigh(ModelLogits reference, ModelLogits aligned, int[] outputRows, IReadOnlyList<LogitRow> rows,
        int vocabularySize, Device device)
    {
        var alignedWeight = TensorRows.Column(Array.ConvertAll(outputRows, row => (float)rows[row].Strength), device);
        var referenceWeight = TensorRows.Column(Array.ConvertAll(outputRows, row => (float)(1 - rows[row].Strength)), device);
        return aligned.Take(outputRows, vocabularySize, device).mul(alignedWeight)
            .add_(reference.Take(outputRows, vocabularySize, device).mul(referenceWeight));
    }

    private static int[] Where(IReadOnlyList<LogitRow> rows, Predicate<double> matches) =>
        TensorRows.Where(rows.Count, row => matches(rows[row].Strength));
}
