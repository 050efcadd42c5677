using DeRa.Engine.Requests;

namespace DeRa.Torch.Decoding;

/// <summary>
/// top-k, and of the few tokens that it leaves top-p, min-p and typical_p, in this order, in the host's memory; of equally likely tokens
/// those of the lowest ids are kept. One row.
/// </summary>
internal static class CpuCandidateFilter
{
    /// <summary>Applies the filters that are on.</summary>
    /// <param name="scaled">[vocabulary], padded as in <see cref="CpuVector"/>; at most 0, and 0 somewhere.</param>
    /// <param name="parameters">The filters; top-k is on.</param>
    /// <param name="candidates">Receives the tokens kept, with their weights.</param>
    public static void Apply(ReadOnlySpan<float> scaled, SamplingParameters parameters, CpuCandidates candidates)
    {
        candidates.CollectBest(scaled, parameters.TopK, float.NegativeInfinity);
        candidates.SetWeights();
        if (parameters.TopP < 1) candidates.KeepFirst(parameters.TopP * Sum(candidates.Items));
        if (parameters.MinP > 0) candidates.KeepAtLeast(parameters.MinP);
        if (parameters.TypicalP < 1) KeepTypical(candidates, parameters.TypicalP);
    }

    private static double Sum(ReadOnlySpan<Candidate> candidates)
    {
        var sum = 0.0;
        foreach (ref readonly var candidate in candidates) sum += candidate.Weight;
        return sum;
    }

    /// <summary>Locally typical sampling, in the order of |s − Σ p s| (<see cref="TokenFilter"/>).</summary>
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
