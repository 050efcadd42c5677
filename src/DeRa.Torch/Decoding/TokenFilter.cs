using DeRa.Engine.Requests;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>Turns logits into probabilities and zeroes those that top-k, top-p and min-p drop, in this order.</summary>
internal static class TokenFilter
{
    /// <summary>Whether a row's parameters can drop any token of the vocabulary.</summary>
    public static bool Filters(SamplingParameters parameters, long vocabularySize) =>
        HasTopK(parameters, vocabularySize) || parameters.TopP < 1 || parameters.MinP > 0;

    /// <summary>The probabilities to sample from.</summary>
    /// <param name="scaled">float32 [rows, vocabulary]: logits after temperature.</param>
    /// <param name="parameters">One a row.</param>
    /// <returns>float32 [rows, vocabulary], 0 where dropped; a filtered row's sum may be below 1.</returns>
    public static Tensor Probabilities(Tensor scaled, SamplingParameters[] parameters)
    {
        var vocabularySize = scaled.shape[1];
        var filtered = TensorRows.Where(parameters.Length, row => Filters(parameters[row], vocabularySize));
        if (filtered.Length == 0) return scaled.softmax(1);
        var kept = Filter(TensorRows.Take(scaled, filtered), Array.ConvertAll(filtered, row => parameters[row]));
        if (filtered.Length == parameters.Length) return kept;
        var probabilities = scaled.softmax(1);
        TensorRows.Put(probabilities, filtered, kept);
        return probabilities;
    }

    /// <summary>Works on the sorted tokens (ties: lowest id first), then scatters back to the order of ids.</summary>
    private static Tensor Filter(Tensor scaled, SamplingParameters[] parameters)
    {
        var (sorted, tokens) = scaled.sort(1, descending: true, stable: true);
        var inTopK = TopK(sorted, parameters);
        // −∞ · 0 would be NaN: the dropped are masked, not multiplied.
        var reachable = inTopK is null ? sorted : where(inTopK, sorted, full_like(sorted, float.NegativeInfinity));
        var probabilities = reachable.softmax(1);
        var keep = TopP(probabilities, parameters);
        keep = And(keep, MinP(probabilities, parameters));
        var kept = keep is null ? probabilities : probabilities.mul(keep);
        return zeros_like(scaled).scatter_(1, tokens, kept);
    }

    /// <summary>[rows, vocabulary] over sorted tokens: the first k; null where no row asks.</summary>
    private static Tensor? TopK(Tensor sorted, SamplingParameters[] parameters)
    {
        var vocabularySize = sorted.shape[1];
        if (!parameters.Any(row => HasTopK(row, vocabularySize))) return null;
        var count = TensorRows.Column(
            Array.ConvertAll(parameters, row => HasTopK(row, vocabularySize) ? row.TopK : (double)vocabularySize), sorted.device);
        return arange(vocabularySize, ScalarType.Float64, sorted.device).lt(count);
    }

    /// <summary>The smallest prefix whose probability reaches p: those before which less than p has been passed.</summary>
    private static Tensor? TopP(Tensor probabilities, SamplingParameters[] parameters)
    {
        if (!parameters.Any(row => row.TopP < 1)) return null;
        var reach = TensorRows.Column(
            Array.ConvertAll(parameters, row => row.TopP < 1 ? row.TopP : double.PositiveInfinity), probabilities.device);
        var before = probabilities.cumsum(1, ScalarType.Float64).sub_(probabilities);
        return before.lt(reach);
    }

    /// <summary>Those at least a fraction as likely as the most likely, which comes first.</summary>
    private static Tensor? MinP(Tensor probabilities, SamplingParameters[] parameters)
    {
        if (!parameters.Any(row => row.MinP > 0)) return null;
        var fraction = TensorRows.Column(Array.ConvertAll(parameters, row => row.MinP), probabilities.device);
        return probabilities.ge(fraction.mul(probabilities.narrow(1, 0, 1)));
    }

    private static Tensor? And(Tensor? left, Tensor? right) =>
        left is null ? right : right is null ? left : left.logical_and(right);

    private static bool HasTopK(SamplingParameters parameters, long vocabularySize) =>
        parameters.TopK > 0 && parameters.TopK < vocabularySize;
}
