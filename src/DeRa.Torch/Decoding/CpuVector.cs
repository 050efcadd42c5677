using System.Numerics;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using DeRa.Torch.Operators;

namespace DeRa.Torch.Decoding;

/// <summary>Passes over a row of logits in a buffer of whole vectors, padded with −∞ (<see cref="Allocate"/>).</summary>
internal static class CpuVector
{
    private const int Lanes = 8;

    /// <summary>A buffer of −∞ for at least <paramref name="count"/> numbers.</summary>
    public static float[] Allocate(int count)
    {
        var buffer = new float[(count + Lanes - 1) / Lanes * Lanes];
        buffer.AsSpan().Fill(float.NegativeInfinity);
        return buffer;
    }

    /// <summary>The buffer's vectors.</summary>
    public static ReadOnlySpan<Vector256<float>> Of(ReadOnlySpan<float> buffer) => MemoryMarshal.Cast<float, Vector256<float>>(buffer);

    /// <summary>The largest element; NaN where any is.</summary>
    public static float Largest(ReadOnlySpan<float> buffer)
    {
        var largest = Vector256.Create(float.NegativeInfinity);
        var areNumbers = Vector256<float>.AllBitsSet;
        foreach (var values in Of(buffer))
        {
            largest = Vector256.MaxNative(largest, values);
            areNumbers &= Vector256.Equals(values, values);
        }
        if (Vector256.EqualsAny(areNumbers.AsInt32(), Vector256<int>.Zero)) return float.NaN;
        var most = largest[0];
        for (var lane = 1; lane < Lanes; lane++) most = MathF.Max(most, largest[lane]);
        return most;
    }

    /// <summary>The lowest index of a value that the buffer holds.</summary>
    public static int FirstIndexOf(ReadOnlySpan<float> buffer, float value)
    {
        var vectors = Of(buffer);
        var wanted = Vector256.Create(value);
        for (var i = 0; i < vectors.Length; i++)
            if (Vector256.Equals(vectors[i], wanted).ExtractMostSignificantBits() is not 0 and var found)
                return i * Lanes + BitOperations.TrailingZeroCount(found);
        throw new ArgumentOutOfRangeException(nameof(value), value, "is not in the buffer");
    }

    /// <summary>How many elements are larger than a value.</summary>
    public static int CountAbove(ReadOnlySpan<float> buffer, float value)
    {
        var count = Vector256<int>.Zero;
        var limit = Vector256.Create(value);
        foreach (var values in Of(buffer)) count -= Vector256.GreaterThan(values, limit).AsInt32();
        return Vector256.Sum(count);
    }

    /// <summary>
    /// (logit − best) / temperature. The largest logit is subtracted first: dividing large numbers by a low temperature would lose their
    /// differences.
    /// </summary>
    /// <param name="logits">The row.</param>
    /// <param name="best">Its largest element, finite.</param>
    /// <param name="temperature">Above 0.</param>
    /// <param name="scaled">Of the same length, written; may be the row itself. At most 0, and 0 somewhere.</param>
    public static void Scale(ReadOnlySpan<float> logits, float best, float temperature, Span<float> scaled)
    {
        var from = Of(logits);
        var to = MemoryMarshal.Cast<float, Vector256<float>>(scaled);
        var (shift, divisor) = (Vector256.Create(best), Vector256.Create(temperature));
        for (var i = 0; i < to.Length && i < from.Length; i++) to[i] = (from[i] - shift) / divisor;
    }

    /// <summary>Σ exp(element − shift): exponentials in float32, their sum in float64.</summary>
    public static double SumOfExp(ReadOnlySpan<float> buffer, float shift)
    {
        Vector256<double> lower = default, upper = default;
        var subtracted = Vector256.Create(shift);
        foreach (var values in Of(buffer))
        {
            var (low, high) = Vector256.Widen(CpuActivation.Exp(values - subtracted));
            lower += low;
            upper += high;
        }
        return Vector256.Sum(lower + upper);
    }
}
