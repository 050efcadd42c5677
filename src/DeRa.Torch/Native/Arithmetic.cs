using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Native;

/// <summary>
/// Arithmetic of tensors with numbers, and sums of tensors. TorchSharp makes a native number for each of these calls (the factor 1
/// for the sum of two tensors), passes libtorch a pointer to it and drops its reference: a garbage collection during the call frees
/// the number, and the call fails or computes with garbage. Here each number is held until its call returns;
/// <c>BannedSymbols.txt</c> bans the operators and overloads that do not.
/// </summary>
internal static class Arithmetic
{
    /// <summary>0, never freed.</summary>
    public static readonly Scalar Zero = 0.ToScalar();

    /// <summary>1, never freed.</summary>
    public static readonly Scalar One = 1.ToScalar();

    /// <summary>−∞, never freed.</summary>
    public static readonly Scalar NegativeInfinity = float.NegativeInfinity.ToScalar();

    /// <summary>The sum, with broadcasting.</summary>
    public static Tensor Plus(this Tensor left, Tensor right) => left.add(right, One);

    /// <summary>Each element plus a number.</summary>
    public static Tensor Plus(this Tensor left, double right)
    {
        using var number = right.ToScalar();
        return left.add(number, One);
    }

    /// <summary>Adds to <paramref name="left"/> in place; <paramref name="right"/> is broadcast.</summary>
    public static Tensor PlusInPlace(this Tensor left, Tensor right) => left.add_(right, One);

    /// <summary>Adds a number to each element in place.</summary>
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

    /// <summary>Multiplies each element in place.</summary>
    public static Tensor TimesInPlace(this Tensor left, double right)
    {
        using var number = right.ToScalar();
        return left.mul_(number);
    }

    /// <summary>start, start + 1, … up to but excluding end.</summary>
    public static Tensor Range(long start, long end, ScalarType type, Device device)
    {
        using var first = start.ToScalar();
        using var beyond = end.ToScalar();
        return arange(first, beyond, One, type, device);
    }
}
