using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Keeps the tokens of a row that come first in an order until a sum of weights is reached, without sorting: a histogram tells near
/// which place in the order that is, and only tokens there are looked at one by one. One thread's.
/// </summary>
/// <param name="candidates">Scratch.</param>
internal sealed class CpuPrefix(CpuCandidates candidates)
{
    private const int Lanes = 8, Bins = 1024;

    /// <summary>Bins per unit of the natural logarithm; what is further than all bins is in the last one.</summary>
    private const float BinsPerUnit = 32;

    private readonly double[] _even = new double[Bins], _odd = new double[Bins]; // of even and odd tokens: additions wait less

    /// <summary>
    /// Keeps those before which the sum of weights, by distance from a center and then by id, is below a limit; the others become −∞,
    /// and their weights 0.
    /// </summary>
    /// <param name="scaled">[vocabulary], padded as in <see cref="CpuVector"/>; changed in place.</param>
    /// <param name="weights">Likewise; not negative, and 0 where <paramref name="scaled"/> is −∞.</param>
    /// <param name="center">Where the order begins.</param>
    /// <param name="limit">Above 0.</param>
    public void Keep(Span<float> scaled, Span<float> weights, double center, double limit)
    {
        Count(scaled, weights, (float)center);
        var (last, before) = Find(limit);
        // Distances to the rounded center may be in the next bin.
        var first = Math.Max(last - 1, 0);
        if (last > 0) before -= _even[first] + _odd[first];
        Drop(scaled, weights, (float)center, first, last + 1);
        foreach (ref var candidate in candidates.Items) candidate.Order = Math.Abs(candidate.Scaled - center);
        candidates.KeepFirst(limit - before);
        foreach (ref readonly var candidate in candidates.Items)
            (scaled[candidate.Token], weights[candidate.Token]) = (candidate.Scaled, candidate.Weight);
    }

    private static Vector256<int> Bin(Vector256<float> scaled, float center) => Vector256.ConvertToInt32Native(Vector256.MinNative(
        Vector256.Abs(scaled - Vector256.Create(center)) * BinsPerUnit, Vector256.Create((float)(Bins - 1))));

    private void Count(ReadOnlySpan<float> scaled, ReadOnlySpan<float> weights, float center)
    {
        Array.Clear(_even);
        Array.Clear(_odd);
        var vectors = CpuVector.Of(scaled);
        Span<int> bins = stackalloc int[Lanes];
        for (var i = 0; i < vectors.Length; i++)
        {
            Bin(vectors[i], center).CopyTo(bins);
            var own = weights.Slice(i * Lanes, Lanes);
            for (var lane = 0; lane < Lanes; lane += 2)
            {
                _even[bins[lane]] += own[lane];
                _odd[bins[lane + 1]] += own[lane + 1];
            }
        }
    }

    /// <summary>The bin in which the limit is reached, the last one where it is not, and the sum of those before it.</summary>
    private (int Bin, double Before) Find(double limit)
    {
        var before = 0.0;
        for (var bin = 0; bin < Bins - 1; bin++)
        {
            var sum = before + (_even[bin] + _odd[bin]);
            if (sum >= limit) return (bin, before);
            before = sum;
        }
        return (Bins - 1, before);
    }

    /// <summary>Drops all from a bin on; those up to another one become candidates.</summary>
    private void Drop(Span<float> scaled, Span<float> weights, float center, int first, int last)
    {
        candidates.Clear();
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(scaled);
        var sizes = MemoryMarshal.Cast<float, Vector256<float>>(weights);
        for (var i = 0; i < vectors.Length && i < sizes.Length; i++)
        {
            var bins = Bin(vectors[i], center);
            var isDropped = Vector256.GreaterThanOrEqual(bins, Vector256.Create(first)).AsSingle();
            var isNear = isDropped & Vector256.LessThanOrEqual(bins, Vector256.Create(last)).AsSingle();
            candidates.Add(scaled, weights, i * Lanes, isNear.ExtractMostSignificantBits());
            vectors[i] = Vector256.ConditionalSelect(isDropped, Vector256.Create(float.NegativeInfinity), vectors[i]);
            sizes[i] = Vector256.AndNot(sizes[i], isDropped);
        }
    }
}
