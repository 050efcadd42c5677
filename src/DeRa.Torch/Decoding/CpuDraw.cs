using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeRa.Engine.Requests;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The token whose scaled logit s plus Gumbel noise is largest, of equal ones the lowest id. Noise is computed in full only where it can
/// decide: s − log E is at least the best sum so far b only if E is at most e^(s − b), and E = −log(1 − u) is never less than u, the
/// token's uniform number.
/// </summary>
internal static class CpuDraw
{
    private const int Lanes = 8;

    /// <summary>2²³ / ln 2: float32's bits per unit of the natural logarithm.</summary>
    private const float BitsPerUnit = 12102203.16f;

    /// <summary>The bits, as a number, of the float32 number 2³¹, which stands for u = 1.</summary>
    private const float BitsOfOne = (127 + 31) * (float)(1 << 23);

    /// <summary>More than all roundings of a limit together.</summary>
    private const float Margin = 1 << 12;

    /// <summary>Below these limits not even the smallest u, 2⁻³³, passes.</summary>
    private const int LeastLimit = ((127 + 31 - 33) << 23) - (1 << 13);

    private readonly record struct Sum(double Value, int Token)
    {
        public bool IsBelow(Sum other) => Value < other.Value || (Value == other.Value && Token > other.Token);
    }

    /// <summary>Draws from a whole row.</summary>
    /// <param name="scaled">[vocabulary], padded as in <see cref="CpuVector"/>; at most 0, and above −∞ somewhere.</param>
    /// <param name="noiseKey"><see cref="GumbelNoise.Key"/>.</param>
    public static int Best(ReadOnlySpan<float> scaled, ulong noiseKey)
    {
        var best = Of(scaled, CpuVector.FirstIndexOf(scaled, CpuVector.Largest(scaled)), noiseKey);
        var offset = Offset(best);
        var vectors = CpuVector.Of(scaled);
        var states = Vector256.Create(1ul, 2, 3, 4) * GumbelNoise.Increment + Vector256.Create(noiseKey);
        for (var i = 0; i < vectors.Length; i++, states += Vector256.Create(unchecked(Lanes * GumbelNoise.Increment)))
        {
            var limits = Vector256.ConvertToInt32Native(vectors[i] * BitsPerUnit + offset);
            if (!Vector256.GreaterThanAny(limits, Vector256.Create(LeastLimit))) continue;
            var passing = Vector256.LessThanOrEqual(Uniform(states), limits).ExtractMostSignificantBits();
            for (; passing != 0; passing &= passing - 1)
            {
                var sum = Of(scaled, i * Lanes + BitOperations.TrailingZeroCount(passing), noiseKey);
                if (best.IsBelow(sum)) (best, offset) = (sum, Offset(sum));
            }
        }
        return best.Token;
    }

    /// <summary>Draws from candidates.</summary>
    /// <param name="candidates">At least one, with their weights e^s.</param>
    /// <param name="noiseKey"><see cref="GumbelNoise.Key"/>.</param>
    public static int Best(ReadOnlySpan<Candidate> candidates, ulong noiseKey)
    {
        var (best, limit) = (new Sum(double.NegativeInfinity, int.MaxValue), double.PositiveInfinity);
        foreach (ref readonly var candidate in candidates)
        {
            var uniform = GumbelNoise.Bits(noiseKey, candidate.Token) * (1.0 / (1L << 32));
            if (uniform > candidate.Weight * limit) continue;
            var sum = new Sum(candidate.Scaled + GumbelNoise.Of(noiseKey, candidate.Token), candidate.Token);
            if (best.IsBelow(sum)) (best, limit) = (sum, Math.Exp(-sum.Value) * (1 + 1e-5));
        }
        return best.Token;
    }

    private static Sum Of(ReadOnlySpan<float> scaled, int token, ulong noiseKey) =>
        new(scaled[token] + GumbelNoise.Of(noiseKey, token), token);

    /// <summary>
    /// Added to s · <see cref="BitsPerUnit"/> it makes the bits of a float32 number that is at least 2³¹ · e^(s − b): between powers of 2
    /// float32's bits grow evenly, which is above the exponential.
    /// </summary>
    private static Vector256<float> Offset(Sum best) => Vector256.Create((float)(BitsOfOne + Margin - best.Value * BitsPerUnit));

    /// <summary>2³¹ · u of eight tokens in turn, rounded down to whole numbers, as bits of float32 numbers.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<int> Uniform(Vector256<ulong> states)
    {
        var halves = Vector256.Narrow(
            Mixed(states) >>> 33, Mixed(states + Vector256.Create(unchecked(4 * GumbelNoise.Increment))) >>> 33);
        return Vector256.ConvertToSingle(halves.AsInt32()).AsInt32();
    }

    /// <summary>SplitMix64's output, as in <see cref="GumbelNoise.Bits"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Mixed(Vector256<ulong> states)
    {
        states = (states ^ (states >>> 30)) * GumbelNoise.FirstFactor;
        states = (states ^ (states >>> 27)) * GumbelNoise.SecondFactor;
        return states ^ (states >>> 31);
    }
}
