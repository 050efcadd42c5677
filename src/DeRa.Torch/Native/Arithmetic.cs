using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Native;

/// <summary>
/// Sums of tensors, and tensors with numbers. TorchSharp makes a native number for each of these calls (for the sum of two
/// tensors too: the factor 1), hands libtorch a pointer to it, and refers to it no more: a garbage collection during the call
/// frees it, and the call fails or computes with whatever lies there then. Here each is held until its call is over;
/// <c>BannedSymbols.txt</c> keeps the other ways out of this project.
/// </summary>
internal static class Arithmetic
{
    /// <summary>0, held for good.</summary>
    public static readonly Scalar Zero = 0.ToScalar();

    /// <summary>1, held for good.</summary>
    public static readonly Scalar One = 1.ToScalar();

    /// <summary>−∞, held for good.</summary>
    public static readonly Scalar NegativeInfinity = float.NegativeInfinity.ToScalar();

    /// <summary>Element by element, with broadcasting.</summary>
    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    /// <summary>Each element plus a number.</summary>
    public static Tensor Plus(this Tensor left, double right)
    {
        using var number = right.ToScalar();
        return left.add(number, One);
    }

    /// <summary>Adds to <paramref name="left"/> itself; the right one stretches to it.</summary>
    public static Tensor PlusInPlace(this Tensor left, Tensor right) => left.add_(right, One);

    /// <summary>Adds a number to each element of <paramref name="left"/> itself.</summary>
    public static Tensor PlusInPlace(this Tensor left, double right)
    {
        using var number = right.ToScalar();
        return left.add_(number, One);
    }

    /// <summary>Each element times a number.</summary>
    public static Tensor Times(this Tensor left, double right)
    {
        using var number = right.ToScalar();
        return left.mul(number);
    }

    /// <summary>Multiplies each element of <paramref name="left"/> itself.</summary>
    public static Tensor TimesInPlace(this Tensor left, double right)
    {
        using var number = right.ToScalar();
        return left.mul_(number);
    }

    /// <summary>start, start + 1, … up to but without end.</summary>
    public static Tensor Range(long start, long end, ScalarType type, Device device)
    {
        using var first = start.ToScalar();
        using var beyond = end.ToScalar();
        return arange(first, beyond, One, type, device);
    }
}
