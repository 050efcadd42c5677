using System.Numerics;
using System.Runtime.Intrinsics;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Decoding;

/// <summary>Tokens of one row that may be sampled, in a buffer that one thread keeps.</summary>
internal sealed class CpuCandidates(int vocabularySize)
{
    private const int Lanes = 8;

    /// <summary>Candidates that are collected, beside twice those wanted, before the best of them are selected.</summary>
    private const int Spare = 512;

    private readonly Candidate[] _items = new Candidate[vocabularySize];
    private int _count;

    /// <summary>The candidates, in no particular order.</summary>
    public Span<Candidate> Items => _items.AsSpan(0, _count);

    /// <summary>Removes all.</summary>
    public void Clear() => _count = 0;

    /// <summary>Adds some of eight tokens with weights of their own; those of weight 0 are not added.</summary>
    /// <param name="values">[vocabulary], padded as in <see cref="CpuVector"/>.</param>
    /// <param name="weights">Likewise.</param>
    /// <param name="first">The first of the eight.</param>
    /// <param name="lanes">Which of them, one a bit.</param>
    public void Add(ReadOnlySpan<float> values, ReadOnlySpan<float> weights, int first, uint lanes)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            var token = first + BitOperations.TrailingZeroCount(lanes);
            if (weights[token] > 0) _items[_count++] = new Candidate { Token = token, Scaled = values[token], Weight = weights[token] };
        }
    }

    /// <summary>
    /// Takes the largest values, of equal ones those of the lowest ids, in one pass: what is not larger than as many values before it
    /// is not among them.
    /// </summary>
    /// <param name="values">[vocabulary], padded as in <see cref="CpuVector"/>.</param>
    /// <param name="count">How many, at least 1; fewer are taken where fewer are larger than <paramref name="above"/>.</param>
    /// <param name="above">What is not larger is not taken; NaN = −∞ is taken, too.</param>
    public void CollectBest(ReadOnlySpan<float> values, int count, float above)
    {
        Clear();
        var vectors = CpuVector.Of(values);
        var most = 2L * count + Spare;
        var limit = Vector256.Create(above);
        for (var i = 0; i < vectors.Length; i++)
        {
            Add(values, i * Lanes, (~Vector256.LessThanOrEqual(vectors[i], limit)).ExtractMostSignificantBits());
            if (_count >= most) limit = Vector256.Create(KeepBest(count));
        }
        if (_count > count) KeepBest(count);
    }

    /// <summary>Keeps those before which the sum of weights, taken in order, is below a limit.</summary>
    public void KeepFirst(double limit) => _count = CandidateSelection.MoveFirst(Items, limit);

    /// <summary>Keeps those whose weight is at least this.</summary>
    public void KeepAtLeast(float weight)
    {
        var kept = 0;
        foreach (ref readonly var item in Items)
            if (item.Weight >= weight) _items[kept++] = item;
        _count = kept;
    }

    /// <summary>Sets each weight to e to the power of the scaled logit.</summary>
    public void SetWeights()
    {
        Span<float> block = stackalloc float[Lanes];
        var items = Items;
        for (var i = 0; i < items.Length; i += Lanes)
        {
            var part = items[i..Math.Min(i + Lanes, items.Length)];
            for (var lane = 0; lane < part.Length; lane++) block[lane] = part[lane].Scaled;
            CpuActivation.Exp(Vector256.Create<float>(block)).CopyTo(block);
            for (var lane = 0; lane < part.Length; lane++) part[lane].Weight = block[lane];
        }
    }

    /// <summary>Keeps the best of those collected; returns the smallest value kept.</summary>
    private float KeepBest(int count)
    {
        KeepFirst(count);
        var least = float.PositiveInfinity;
        foreach (ref readonly var item in Items) least = MathF.Min(least, item.Scaled);
        return least;
    }

    private void Add(ReadOnlySpan<float> values, int first, uint lanes)
    {
        for (; lanes != 0; lanes &= lanes - 1)
        {
            var token = first + BitOperations.TrailingZeroCount(lanes);
            if (token >= _items.Length) return; // padding
            _items[_count++] = new Candidate { Token = token, Scaled = values[token], Weight = 1, Order = -values[token] };
        }
    }
}
