using DeRa.Engine.Requests;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>Turns logits into probabilities and zeroes those that top-k, top-p, min-p and typical_p drop, in this order.</summary>
internal static class TokenFilter
{
    /// <summary>How many of a row's best tokens are examined before all are sorted.</summary>
    internal const int CandidateCount = 256;

    /// <summary>Smaller vocabularies are sorted at once, which costs no more.</summary>
    internal const int MinVocabularyOfCandidates = 8 * CandidateCount;

    /// <summary>Whether a row's parameters can drop any token of the vocabulary.</summary>
    public static bool Filters(SamplingParameters parameters, long vocabularySize) =>
        FiltersBySize(parameters, vocabularySize) || parameters.TypicalP < 1;

    /// <summary>The probabilities to sample from.</summary>
    /// <param name="scaled">float32 [rows, vocabulary]: logits after temperature.</param>
    /// <param name="parameters">One a row.</param>
    /// <returns>float32 [rows, vocabulary], 0 where dropped; a filtered row's sum may be below 1.</returns>
    public static Tensor Probabilities(Tensor scaled, SamplingParameters[] parameters)
    {
        var probabilities = BeforeTypical(scaled, parameters);
        TypicalFilter.Apply(probabilities, parameters);
        return probabilities;
    }

    private static Tensor BeforeTypical(Tensor scaled, SamplingParameters[] parameters)
    {
        var vocabularySize = scaled.shape[1];
        var filtered = TensorRows.Where(parameters.Length, row => FiltersBySize(parameters[row], vocabularySize));
        if (filtered.Length == 0) return scaled.softmax(1);
        var kept = Filter(TensorRows.Take(scaled, filtered), Array.ConvertAll(filtered, row => parameters[row]));
        if (filtered.Length == parameters.Length) return kept;
        var probabilities = scaled.softmax(1);
        TensorRows.Put(probabilities, filtered, kept);
        return probabilities;
    }

    /// <summary>
    /// Sorting a whole vocabulary costs more than a small model's step, and far fewer tokens are nearly always kept: examines each
    /// row's best tokens first, and sorts only the rows that keep more.
    /// </summary>
    private static Tensor Filter(Tensor scaled, SamplingParameters[] parameters)
    {
        if (scaled.shape[1] < MinVocabularyOfCandidates) return FilterAll(scaled, parameters);
        var (kept, isComplete) = FilterCandidates(scaled, parameters);
        var others = TensorRows.Where(parameters.Length, row => !isComplete[row]);
        if (others.Length > 0)
            TensorRows.Put(kept, others, FilterAll(TensorRows.Take(scaled, others), Array.ConvertAll(others, row => parameters[row])));
        return kept;
    }

    /// <summary>Works on the sorted tokens (ties: lowest id first), then scatters back to the order of ids.</summary>
    private static Tensor FilterAll(Tensor scaled, SamplingParameters[] parameters)
    {
        var (sorted, tokens) = scaled.sort(1, descending: true, stable: true);
        var inTopK = TopK(sorted, parameters, scaled.shape[1]);
        return zeros_like(scaled).scatter_(1, tokens, Keep(Masked(sorted, inTopK).softmax(1), parameters));
    }

    /// <summary>The same among the best tokens of each row. A row that might keep others too is not complete.</summary>
    private static (Tensor Kept, bool[] IsComplete) FilterCandidates(Tensor scaled, SamplingParameters[] parameters)
    {
        var (sorted, tokens) = Candidates(scaled);
        var inTopK = TopK(sorted, parameters, scaled.shape[1]);
        var weights = Masked(sorted, inTopK).exp(); // the largest is 1: nothing overflows
        var kept = Keep(weights.div(Totals(scaled, weights, parameters)), parameters);
        // Ties of the last candidate may be missing, so none of them may be kept.
        var last = sorted.narrow(1, CandidateCount - 1, 1);
        var reachesEnd = kept.gt(Arithmetic.Zero).logical_and_(sorted.eq(last)).any(1).cpu().data<bool>().ToArray();
        var isComplete = Array.ConvertAll(parameters, row => !HasTopK(row, scaled.shape[1]) || row.TopK < CandidateCount);
        for (var row = 0; row < isComplete.Length; row++) isComplete[row] &= !reachesEnd[row];
        return (zeros_like(scaled).scatter_(1, tokens, kept), isComplete);
    }

    /// <summary>[rows, candidates] each: values and ids, best first; ties by lowest id, which topk does not guarantee.</summary>
    private static (Tensor Sorted, Tensor Tokens) Candidates(Tensor scaled)
    {
        var ids = scaled.topk(CandidateCount, 1, sorted: false).indexes.sort(1).Values;
        var (sorted, order) = scaled.gather(1, ids).sort(1, descending: true, stable: true);
        return (sorted, ids.gather(1, order));
    }

    /// <summary>
    /// [rows, 1]: the sum of the weights of all tokens that top-k leaves. Over a whole vocabulary softmax adds them up, row by row,
    /// whereas a plain sum adds in another order for one row than for several.
    /// </summary>
    private static Tensor Totals(Tensor scaled, Tensor weights, SamplingParameters[] parameters)
    {
        var ofCandidates = weights.sum(1, keepdim: true);
        var areAll = Array.ConvertAll(parameters, row => HasTopK(row, scaled.shape[1]));
        if (Array.TrueForAll(areAll, all => all)) return ofCandidates;
        var ofAll = scaled.softmax(1).amax([1], keepdim: true).reciprocal();
        return where(tensor(areAll, device: scaled.device).unsqueeze(1), ofCandidates, ofAll);
    }

    /// <summary>Masks instead of multiplying, since −∞ · 0 is NaN.</summary>
    private static Tensor Masked(Tensor sorted, Tensor? inTopK) =>
        inTopK is null ? sorted : where(inTopK, sorted, full_like(sorted, Arithmetic.NegativeInfinity));

    private static Tensor Keep(Tensor probabilities, SamplingParameters[] parameters)
    {
        var keep = And(TopP(probabilities, parameters), MinP(probabilities, parameters));
        return keep is null ? probabilities : probabilities.mul(keep);
    }

    /// <summary>[rows, sorted tokens]: the first k; null where no row asks.</summary>
    private static Tensor? TopK(Tensor sorted, SamplingParameters[] parameters, long vocabularySize)
    {
        if (!parameters.Any(row => HasTopK(row, vocabularySize))) return null;
        var count = TensorRows.Column(
            Array.ConvertAll(parameters, row => HasTopK(row, vocabularySize) ? row.TopK : (double)vocabularySize), sorted.device);
        return Arithmetic.Range(0, sorted.shape[1], ScalarType.Float64, sorted.device).lt(count);
    }

    /// <summary>The smallest prefix whose probability reaches p: the tokens before which the cumulative probability is below p.</summary>
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

    private static bool FiltersBySize(SamplingParameters parameters, long vocabularySize) =>
        HasTopK(parameters, vocabularySize) || parameters.TopP < 1 || parameters.MinP > 0;

    private static bool HasTopK(SamplingParameters parameters, long vocabularySize) =>
        parameters.TopK > 0 && parameters.TopK < vocabularySize;
}
