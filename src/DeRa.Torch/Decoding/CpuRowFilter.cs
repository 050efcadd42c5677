using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DeRa.Engine.Requests;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Decoding;

/// <summary>
/// top-p, min-p and typical_p, in this order, on a whole row in the host's memory; of equally likely tokens those of the lowest ids are
/// kept. One thread's.
/// </summary>
/// <param name="vocabularySize">Size of the vocabulary.</param>
/// <param name="candidates">Scratch.</param>
internal sealed class CpuRowFilter(int vocabularySize, CpuCandidates candidates)
{
    private readonly float[] _weights = CpuVector.Allocate(vocabularySize); // e^s; 0 where dropped
    private readonly CpuPrefix _prefix = new(candidates);

    /// <summary>Applies the filters that are on.</summary>
    /// <param name="scaled">
    /// [vocabulary], padded as in <see cref="CpuVector"/>; at most 0, and 0 somewhere. What is dropped becomes −∞.
    /// </param>
    /// <param name="parameters">The filters; top-k is off.</param>
    public void Apply(Span<float> scaled, SamplingParameters parameters)
    {
        var total = Exponentiate(scaled);
        if (parameters.TopP < 1) _prefix.Keep(scaled, _weights, center: 0, parameters.TopP * total);
        if (parameters.MinP > 0) KeepAtLeast(scaled, parameters.MinP);
        if (parameters.TypicalP < 1) KeepTypical(scaled, parameters.TypicalP);
    }

    /// <summary>Sets the weights; returns their sum.</summary>
    private double Exponentiate(ReadOnlySpan<float> scaled)
    {
        Vector256<double> lower = default, upper = default;
        var logits = CpuVector.Of(scaled);
        var weights = MemoryMarshal.Cast<float, Vector256<float>>(_weights.AsSpan());
        for (var i = 0; i < weights.Length && i < logits.Length; i++)
        {
            weights[i] = CpuActivation.Exp(logits[i]);
            var (low, high) = Vector256.Widen(weights[i]);
            lower += low;
            upper += high;
        }
        return Vector256.Sum(lower + upper);
    }

    private void KeepAtLeast(Span<float> scaled, float weight)
    {
        var logits = MemoryMarshal.Cast<float, Vector256<float>>(scaled);
        var weights = MemoryMarshal.Cast<float, Vector256<float>>(_weights.AsSpan());
        for (var i = 0; i < weights.Length && i < logits.Length; i++)
        {
            var isKept = Vector256.GreaterThanOrEqual(weights[i], Vector256.Create(weight));
            logits[i] = Vector256.ConditionalSelect(isKept, logits[i], Vector256.Create(float.NegativeInfinity));
            weights[i] &= isKept;
        }
    }

    /// <summary>Locally typical sampling, in the order of |s − Σ p s| (<see cref="TokenFilter"/>).</summary>
    private void KeepTypical(Span<float> scaled, double reach)
    {
        Vector256<double> total = default, sum = default;
        var logits = CpuVector.Of(scaled);
        var weights = CpuVector.Of(_weights);
        for (var i = 0; i < weights.Length && i < logits.Length; i++)
        {
            var (lower, upper) = Vector256.Widen(weights[i]);
            // Where the weight is 0 the logit may be −∞.
            var (low, high) = Vector256.Widen(Vector256.Max(logits[i], Vector256.Create(float.MinValue)));
            total += lower + upper;
            sum += lower * low + upper * high;
        }
        _prefix.Keep(scaled, _weights, Vector256.Sum(sum) / Vector256.Sum(total), reach * Vector256.Sum(total));
    }
}
