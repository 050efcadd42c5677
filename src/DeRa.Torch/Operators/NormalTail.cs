using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Torch.Operators;

/// <summary>
/// The upper tail of the standard normal distribution: 1 − Φ(t) = erfc(t / √2) / 2. Computed as e^(−t²/2) · g(t), of which the
/// second factor is smooth and falls slowly (Mills' ratio over √(2π)), so that even small tails have their leading digits.
/// </summary>
internal static class NormalTail
{
    /// <summary>Beyond where the tail ends: e^(−t²/2) is below float32's normal numbers from 13.22 on.</summary>
    public const float End = 14;

    /// <summary>Where the polynomial's variable is 0.</summary>
    private const float Middle = 3;

    /// <summary>
    /// The tail of each element, to four units in the last place up to t = 4 and to eight up to 13; 0 from 13.3 on. NaN stays.
    /// </summary>
    /// <param name="t">From 0 to <see cref="End"/>.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Of(Vector256<float> t)
    {
        var square = t * t;
        // What rounding took from the square: at its largest, half a unit in the last place is 4e-6 of the result.
        var rest = Vector256.FusedMultiplyAdd(t, t, -square);
        var power = CpuActivation.Exp(square * -0.5f);
        power = Vector256.FusedMultiplyAdd(power, rest * -0.5f, power);
        return power * Factor((t - Vector256.Create(Middle)) / (t + Vector256.Create(Middle)));
    }

    /// <summary>g(t) at y = (t − 3) / (t + 3): a polynomial within 3e-8 of it for t from 0 to 13.5.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Factor(Vector256<float> y)
    {
        var p = Vector256.Create(5.40021283e-05f);
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(0.000116098425f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(-0.0003394511f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(-0.000984125421f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(0.00290439464f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(0.00613213889f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(-0.0462132506f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(0.123225018f));
        p = Vector256.FusedMultiplyAdd(p, y, Vector256.Create(-0.206402615f));
        return Vector256.FusedMultiplyAdd(p, y, Vector256.Create(0.121513948f));
    }
}
