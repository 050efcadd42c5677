using System.Collections.Immutable;
using System.Runtime.Intrinsics;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Scores one token at many strengths from rows in the host's memory: three passes over the vocabulary for each strength.
/// </summary>
internal static class CpuStrengthScores
{
    /// <summary>Vectors whose numbers are added in float32 before their sum is added in float64.</summary>
    private const int Block = 64;

    /// <summary>Scores a token.</summary>
    /// <param name="sweep">The token, in the vocabulary, and the mixtures.</param>
    /// <param name="active">The models whose logits are there; all that a mixture weighs are among them.</param>
    /// <param name="logits">The members' logits.</param>
    /// <param name="row">Which row of them.</param>
    /// <param name="mixed">Scratch, of <see cref="CpuVector.Allocate"/>.</param>
    /// <param name="reference">Likewise.</param>
    public static ReadoutResult Of(
        SweptToken sweep, ImmutableArray<int> active, CpuLogits logits, int row, float[] mixed, float[] reference)
    {
        var ofModels = new double[active[^1] + 1];
        Array.Fill(ofModels, double.NaN);
        var logSum = 0.0; // the reference's
        foreach (var model in active)
        {
            logits.Row(model, row).CopyTo(mixed);
            var best = CpuVector.Largest(mixed);
            if (RowFaults.Logits(best) is { } fault) return new ReadoutResult { Error = fault };
            var sum = best + Math.Log(CpuVector.SumOfExp(mixed, best));
            ofModels[model] = mixed[sweep.Token] - sum;
            if (model != 0) continue;
            mixed.CopyTo(reference, 0);
            logSum = sum;
        }
        var (logProbs, divergences) = (new double[sweep.Strengths.Count], new double[sweep.Strengths.Count]);
        var vocabularySize = logits.Row(active[0], row).Length;
        for (var i = 0; i < logProbs.Length; i++)
        {
            CpuMixer.Mix(sweep.Strengths[i], logits, row, mixed.AsSpan(0, vocabularySize));
            var best = CpuVector.Largest(mixed);
            if (RowFaults.Logits(best) is { } fault) return new ReadoutResult { Error = fault };
            var (total, difference) = Sums(mixed, best, reference);
            var sum = best + Math.Log(total);
            logProbs[i] = mixed[sweep.Token] - sum;
            divergences[i] = active[0] == 0 ? Math.Max(0, difference / total - (sum - logSum)) : 0;
        }
        return new ReadoutResult { Sweep = new StrengthScores(sweep.Token, logProbs, divergences, ofModels) };
    }

    /// <summary>Σ e^(p − best), and Σ e^(p − best)·(p − q), in which what is infinitely unlikely adds nothing.</summary>
    private static (double Total, double Difference) Sums(ReadOnlySpan<float> p, float best, ReadOnlySpan<float> q)
    {
        var ps = CpuVector.Of(p);
        var qs = CpuVector.Of(q);
        var (total, difference) = (Vector256<double>.Zero, Vector256<double>.Zero);
        var shift = Vector256.Create(best);
        for (var start = 0; start < ps.Length; start += Block)
        {
            var (weights, products) = (Vector256<float>.Zero, Vector256<float>.Zero);
            var end = Math.Min(start + Block, ps.Length);
            for (var i = start; i < end && i < qs.Length; i++)
            {
                var weight = CpuActivation.Exp(ps[i] - shift);
                weights += weight;
                // 0 · (−∞ + ∞) is NaN.
                products += Vector256.ConditionalSelect(
                    Vector256.Equals(weight, Vector256<float>.Zero), Vector256<float>.Zero, weight * (ps[i] - qs[i]));
            }
            total += Widened(weights);
            difference += Widened(products);
        }
        return (Vector256.Sum(total), Vector256.Sum(difference));
    }

    private static Vector256<double> Widened(Vector256<float> sums)
    {
        var (lower, upper) = Vector256.Widen(sums);
        return lower + upper;
    }
}
