using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DeRa.Engine.Requests;

namespace DeRa.Torch.Decoding;

/// <summary><see cref="LogitMixer"/> for a row in the host's memory: the same sums in the same order.</summary>
internal static class CpuMixer
{
    /// <summary>
    /// Mixes in float32. A row in which a single model has a weight is a copy of its logits: nothing is multiplied by zero.
    /// </summary>
    /// <param name="strengths">How much each model weighs.</param>
    /// <param name="logits">The members' logits.</param>
    /// <param name="row">Which row of them.</param>
    /// <param name="mixed">[vocabulary], written.</param>
    public static void Mix(AlignmentStrengths strengths, CpuLogits logits, int row, Span<float> mixed)
    {
        var active = strengths.WeightedModels;
        var first = logits.Row(active[0], row);
        if (active.Length == 1)
        {
            first.CopyTo(mixed);
            return;
        }
        Add(first, (float)strengths.OfMember(active[0]), logits.Row(active[1], row), (float)strengths.OfMember(active[1]), mixed);
        for (var i = 2; i < active.Length; i++)
            Add(mixed, 1, logits.Row(active[i], row), (float)strengths.OfMember(active[i]), mixed);
    }

    /// <summary>Mixes a guess, with estimates of what is not known.</summary>
    /// <param name="guess">The row; some of its models' logits are not known.</param>
    /// <param name="logits">The members' logits.</param>
    /// <param name="row">Which row of them.</param>
    /// <param name="means">The models' mean differences; null = 0.</param>
    /// <param name="mixed">[vocabulary], written.</param>
    public static void MixGuess(LogitRow guess, CpuLogits logits, int row, MeanDifferences? means, Span<float> mixed)
    {
        mixed.Clear();
        var known = guess.KnownModels!;
        for (var i = 0; i < known.Count; i++)
            if (RowWeights.OfLogits(guess, known[i]) is not 0 and var weight)
                Add(mixed, 1, logits.Row(known[i], row), (float)weight, mixed);
        for (var model = 1; model < means?.ModelCount; model++)
            if (RowWeights.OfMean(guess, model) is not 0 and var ofMean) Add(mixed, 1, means.Of(model), (float)ofMean, mixed);
    }

    /// <summary>left · leftWeight + right · rightWeight, each product rounded; a factor of 1 changes nothing.</summary>
    private static void Add(
        ReadOnlySpan<float> left, float leftWeight, ReadOnlySpan<float> right, float rightWeight, Span<float> sums)
    {
        var lefts = MemoryMarshal.Cast<float, Vector256<float>>(left);
        var rights = MemoryMarshal.Cast<float, Vector256<float>>(right);
        var vectors = MemoryMarshal.Cast<float, Vector256<float>>(sums);
        for (var i = 0; i < vectors.Length && i < lefts.Length && i < rights.Length; i++)
            vectors[i] = lefts[i] * leftWeight + rights[i] * rightWeight;
        for (var i = vectors.Length * Vector256<float>.Count; i < sums.Length; i++)
            sums[i] = left[i] * leftWeight + right[i] * rightWeight;
    }
}
