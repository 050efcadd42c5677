using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>(1 − Σλ_i) · reference + Σ λ_i · aligned_i, a row at a time (DeRa, eq. 6 and appendix B).</summary>
internal static class LogitMixer
{
    /// <summary>
    /// Mixes in float32. A row in which a single model has a weight is a copy of its logits: nothing is multiplied by zero, so a logit of
    /// −∞ in another model cannot turn into NaN.
    /// </summary>
    /// <param name="members">The reference model's logits, then each aligned model's.</param>
    /// <param name="rows">What is wanted of each output row.</param>
    /// <param name="vocabularySize">Size of the vocabulary; further columns are padding.</param>
    /// <param name="means">For guesses: the models' mean differences, on the device of all models; null = 0.</param>
    /// <returns>
    /// float32 [rows, vocabulary] on the device of the last model that ran. May share memory with a model's logits: do not
    /// write to it.
    /// </returns>
    /// <exception cref="InvalidOperationException">A row needs a model that did not run it.</exception>
    public static Tensor Mix(IReadOnlyList<ModelLogits> members, IReadOnlyList<LogitRow> rows, int vocabularySize,
        MeanDifferences? means = null)
    {
        var device = members.Select(member => member.Device).LastOrDefault(device => device is not null)
            ?? throw new InvalidOperationException("no model ran");
        var mixed = TensorRows.Where(rows.Count, row => rows[row] is { KnownModels: null, Strengths.WeightedModels.Length: > 1 });
        if (mixed.Length == rows.Count) return WeightedSum(members, mixed, rows, vocabularySize, device);
        Tensor? result = null;
        for (var member = 0; member < members.Count; member++)
        {
            var single = TensorRows.Where(rows.Count, row =>
                rows[row] is { KnownModels: null, Strengths.WeightedModels: [var weighted] } && weighted == member);
            if (single.Length == 0) continue;
            var own = members[member].Take(single, vocabularySize, device);
            if (single.Length == rows.Count) return own;
            TensorRows.Put(result ??= Empty(), single, own);
        }
        if (mixed.Length > 0) TensorRows.Put(result ??= Empty(), mixed, WeightedSum(members, mixed, rows, vocabularySize, device));
        // Apart from the decisions, whose sums then have the same order beside any guesses.
        var guesses = TensorRows.Where(rows.Count, row => rows[row].KnownModels is not null);
        if (guesses.Length > 0)
        {
            var known = WeightedSum(members, guesses, rows, vocabularySize, device);
            TensorRows.Put(result ??= Empty(), guesses, means is null ? known : AddMeans(known, means, guesses, rows));
        }
        return result!;

        Tensor Empty() => empty([rows.Count, vocabularySize], ScalarType.Float32, device);
    }

    private static Tensor WeightedSum(
        IReadOnlyList<ModelLogits> members, int[] outputRows, IReadOnlyList<LogitRow> rows, int vocabularySize, Device device)
    {
        Tensor? sum = null;
        for (var member = 0; member < members.Count; member++)
        {
            var places = TensorRows.Where(outputRows.Length, place => RowWeights.OfLogits(rows[outputRows[place]], member) != 0);
            if (places.Length == 0) continue;
            var own = Array.ConvertAll(places, place => outputRows[place]);
            var weights = TensorRows.Column(Array.ConvertAll(own, row => (float)RowWeights.OfLogits(rows[row], member)), device);
            var weighted = members[member].Take(own, vocabularySize, device).mul(weights);
            if (sum is null && places.Length == outputRows.Length) sum = weighted;
            else if (places.Length == outputRows.Length) sum!.PlusInPlace(weighted);
            else (sum ??= zeros([outputRows.Length, vocabularySize], ScalarType.Float32, device))
                .index_add_(0, TensorRows.Index(places, device), weighted, Arithmetic.One);
        }
        return sum!;
    }

    private static Tensor AddMeans(Tensor known, MeanDifferences means, int[] outputRows, IReadOnlyList<LogitRow> rows)
    {
        var weights = new float[outputRows.Length * means.ModelCount];
        for (var i = 0; i < weights.Length; i++)
            weights[i] = (float)RowWeights.OfMean(rows[outputRows[i / means.ModelCount]], i % means.ModelCount);
        return known.PlusInPlace(
            DeviceTensor.Upload(tensor(weights, [outputRows.Length, means.ModelCount]), known.device).matmul(means.Means));
    }
}
