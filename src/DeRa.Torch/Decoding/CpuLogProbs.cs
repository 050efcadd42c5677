using System.Runtime.Intrinsics;
using DeRa.Engine.Requests;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The log-probabilities of one row in the host's memory: of the mixture before penalties, bias, masks, temperature and filters.
/// </summary>
/// <param name="mixed">[vocabulary], padded as in <see cref="CpuVector"/>.</param>
/// <param name="vocabularySize">Size of the vocabulary.</param>
/// <param name="best">The largest logit, finite.</param>
/// <param name="candidates">Scratch.</param>
internal readonly struct CpuLogProbs(float[] mixed, int vocabularySize, float best, CpuCandidates candidates)
{
    /// <summary>log Σ exp of the logits.</summary>
    public double LogSum { get; } = SumOf(mixed, best);

    /// <summary>A token's, with those of the most likely tokens; of equal ones the lowest id first.</summary>
    public TokenLogProbs Of(int token, int alternatives) => new(token, LogProb(mixed[token]), Top(alternatives));

    /// <summary>A token's; at most 0.</summary>
    public double LogProb(int token) => Math.Min(0, mixed[token] - LogSum);

    /// <summary>1 + the number of tokens that are more likely.</summary>
    public int Rank(int token) => 1 + CpuVector.CountAbove(mixed, mixed[token]);

    /// <summary>
    /// KL(p ‖ q) in nats of two rows of logits; what is infinitely unlikely in both adds nothing.
    /// </summary>
    /// <param name="p">Padded as in <see cref="CpuVector"/>.</param>
    /// <param name="best">The largest of <paramref name="p"/>.</param>
    /// <param name="q">Likewise, as long.</param>
    public static double Divergence(ReadOnlySpan<float> p, float best, ReadOnlySpan<float> q) =>
        Divergence(p, best, SumOf(p, best), q, SumOf(q, CpuVector.Largest(q)));

    /// <summary>The same where log Σ exp of both rows is known.</summary>
    public static double Divergence(ReadOnlySpan<float> p, float best, double logSum, ReadOnlySpan<float> q, double otherLogSum)
    {
        var ps = CpuVector.Of(p);
        var qs = CpuVector.Of(q);
        var shift = Vector256.Create(logSum - otherLogSum); // no small difference of large numbers is left
        Vector256<double> total = default, difference = default;
        for (var i = 0; i < ps.Length && i < qs.Length; i++)
        {
            var (lower, upper) = Vector256.Widen(CpuActivation.Exp(ps[i] - Vector256.Create(best)));
            var (lowerP, upperP) = Vector256.Widen(ps[i]);
            var (lowerQ, upperQ) = Vector256.Widen(qs[i]);
            total += lower + upper;
            difference += Product(lower, lowerP - lowerQ - shift) + Product(upper, upperP - upperQ - shift);
        }
        return Vector256.Sum(difference) / Vector256.Sum(total);
    }

    /// <summary>0 where the weight is 0, since 0 · (−∞ + ∞) is NaN.</summary>
    private static Vector256<double> Product(Vector256<double> weight, Vector256<double> value) =>
        Vector256.ConditionalSelect(Vector256.Equals(weight, Vector256<double>.Zero), Vector256<double>.Zero, weight * value);

    private static double SumOf(ReadOnlySpan<float> logits, float best) => best + Math.Log(CpuVector.SumOfExp(logits, best));

    private float LogProb(float logit) => (float)(logit - LogSum);

    /// <summary>The most likely tokens; of equal ones the lowest id first.</summary>
    public (int Token, float LogProb)[] Top(int count)
    {
        if (count == 0) return [];
        candidates.CollectBest(mixed, Math.Min(count, vocabularySize), float.NaN);
        var best = candidates.Items;
        best.Sort(Candidate.Compare);
        var top = new (int Token, float LogProb)[best.Length];
        for (var i = 0; i < top.Length; i++) top[i] = (best[i].Token, LogProb(best[i].Scaled));
        return top;
    }
}
