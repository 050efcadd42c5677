using DeRa.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Whole numbers that order as floating numbers of at least 0 do, and are equal where those are: exponent above mantissa, as IEEE 754
/// lays out the bits, which TorchSharp cannot read as another type.
/// </summary>
internal static class OrderKeys
{
    /// <summary>Bits of the keys of float32 numbers.</summary>
    public const int Float32Bits = 31;

    /// <summary>Bits of the keys of float64 numbers.</summary>
    public const int Float64Bits = 63;

    /// <summary>The keys of float32 numbers: int64 in [0, 2³¹), of the same shape.</summary>
    public static Tensor OfFloat32(Tensor values) => Of(values, mantissaBits: 24, leastExponent: -148);

    /// <summary>The keys of float64 numbers: int64 in [0, 2⁶³), of the same shape.</summary>
    public static Tensor OfFloat64(Tensor values) => Of(values, mantissaBits: 53, leastExponent: -1073);

    /// <summary>Numbers above 10³⁰, whose order does not matter, are equal: the exponent of ∞ is not defined.</summary>
    private static Tensor Of(Tensor values, int mantissaBits, int leastExponent)
    {
        using var most = 1e30.ToScalar();
        using var least = ((long)leastExponent).ToScalar();
        using var step = (1L << (mantissaBits - 1)).ToScalar();
        var (mantissa, exponent) = values.clamp_max(most).frexp(); // mantissa in [½, 1), or 0
        var keys = mantissa.TimesInPlace(Math.ScaleB(1, mantissaBits)).to(ScalarType.Int64)
            .PlusInPlace(exponent.to(ScalarType.Int64).sub_(least).mul_(step));
        return keys.mul_(values.gt(Arithmetic.Zero));
    }
}
