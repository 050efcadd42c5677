using DeRa.Engine.Requests;

namespace DeRa.Torch.Decoding;

/// <summary>
/// top-k, top-p, min-p and typical_p, in this order, on one row in the host's memory: the tokens that they keep, of equally likely ones
/// those of the lowest ids.
/// </summary>
internal static class CpuFilter
{
    /// <summary>Widens bounds that are computed in another way than what they bound.</summary>
    private const float Margin = 1e-3f;

    /// <summary>Applies the filters that are on.</summary>
    /// <param name="scaled">[vocabulary], padded as in <see cref="CpuVector"/>; at most 0, and 0 somewhere.</param>
    /// <param name="vocabularySize">Size of the vocabulary.</param>
    /// <param name="parameters">The filters.</param>
    /// <param name="candidates">Receives the tokens kept, with their weights.</param>
    /// <returns>Whether any filter is on; else nothing is written.</returns>
    public static bool Apply(ReadOnlySpan<float> scaled, int vocabularySize, SamplingParameters parameters, CpuCandidates candidates)
    {
        if (!TokenFilter.Filters(parameters, vocabularySize)) return false;
        var total = Collect(scaled, vocabularySize, parameters, candidates);
        candidates.SetWeights();
        if (parameters.TopP < 1) candidates.KeepFirst(parameters.TopP * (total ?? Sum(candidates.Items)));
        if (parameters.MinP > 0) candidates.KeepAtLeast(parameters.MinP);
        if (parameters.TypicalP < 1) KeepTypical(candidates, parameters.TypicalP);
        return true;
    }

    /// <summary>
    /// Takes no fewer tokens than top-k leaves, or than the filters after it can keep: by the first that is on. Returns the sum of all
    /// weights where top-p needs it and it is not that of the candidates.
    /// </summary>
    private static double? Collect(
        ReadOnlySpan<float> scaled, int vocabularySize, SamplingParameters parameters, CpuCandidates candidates)
    {
        if (TokenFilter.HasTopK(parameters, vocabularySize))
        {
            candidates.CollectBest(scaled, parameters.TopK, float.NegativeInfinity);
            return null;
        }
        if (parameters.TopP < 1)
        {
            // Tokens less likely than (1 − p) / vocabulary add up to less than 1 − p: p is reached before any of them.
            var total = CpuVector.SumOfExp(scaled, 0);
            candidates.Collect(scaled, (float)Math.Log((1.0 - parameters.TopP) * total / vocabularySize) - Margin);
            return total;
        }
        candidates.Collect(scaled, parameters.MinP > 0 ? MathF.Log(parameters.MinP) - Margin : float.NegativeInfinity);
        return null;
    }

    private static double Sum(ReadOnlySpan<Candidate> candidates)
    {
        var sum = 0.0;
        foreach (ref readonly var candidate in candidates) sum += candidate.Weight;
        return sum;
    }

    /// <summary>
    /// Locally typical sampling, in the order of |s − Σ p s| (<see cref="TokenFilter"/>).
    /// </summary>
    private static void KeepTypical(CpuCandidates candidates, double reach)
    {
        var (total, sum) = (0.0, 0.0);
        foreach (ref readonly var candidate in candidates.Items)
        {
            total += candidate.Weight;
            sum += (double)candidate.Weight * candidate.Scaled;
        }
        foreach (ref var candidate in candidates.Items) candidate.Order = Math.Abs(candidate.Scaled - sum / total);
        candidates.KeepFirst(reach * total);
    }
}
