using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeRa.Torch.Configuration;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Elementwise functions in float32 on the CPU (<see cref="CpuKernels"/>): the same bits at any place of a tensor.</summary>
internal static class CpuActivation
{
    private const int Lanes = 8;

    private static readonly float GeluScale = (float)(2 * Math.Sqrt(2 / Math.PI));

    /// <summary>The function that applies an activation in place and returns its argument; null where there is none here.</summary>
    public static Func<Tensor, Tensor>? InPlace(Activation activation) => activation switch
    {
        Activation.Silu => SiluInPlace,
        Activation.GeluTanh => GeluTanhInPlace,
        Activation.QuickGelu => QuickGeluInPlace,
        _ => null,
    };

    /// <summary>x · σ(x), in place.</summary>
    public static Tensor SiluInPlace(Tensor values) => TimesSigmoidInPlace(values, 1, 0);

    /// <summary>x · σ(1.702 x), in place.</summary>
    public static Tensor QuickGeluInPlace(Tensor values) => TimesSigmoidInPlace(values, 1.702f, 0);

    /// <summary>x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), which is x · σ(2 √(2/π) · (…)), in place.</summary>
    public static Tensor GeluTanhInPlace(Tensor values) => TimesSigmoidInPlace(values, GeluScale, 0.044715f);

    /// <summary>cap · tanh(x / cap), in place.</summary>
    public static Tensor SoftCapInPlace(Tensor values, double cap)
    {
        var elements = CpuKernels.Elements(values);
        Span<float> block = stackalloc float[Lanes];
        for (var i = 0; i < elements.Length; i += Lanes)
        {
            var part = Part(elements, i, block);
            SoftCap(Vector256.Create<float>(part), (float)cap).CopyTo(part);
            PutBack(elements, i, block);
        }
        return values;
    }

    /// <inheritdoc cref="SoftCapInPlace"/>
    internal static Vector256<float> SoftCap(Vector256<float> x, float cap) =>
        Vector256.Create(cap) - Vector256.Create(2 * cap) / (Exp(x * (2 / cap)) + Vector256<float>.One);

    /// <summary>
    /// e to the power of each element, to about one unit in the last place: e^x = 2^n · e^r with |r| at most ln 2 / 2, and e^r by a
    /// polynomial (Cephes' expf). 0 below −87.3, where float32 ends, and ∞ above 88.3; NaN stays.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector256<float> Exp(Vector256<float> x)
    {
        const float Least = -87.3365447f, Most = 88.3762626f;
        var n = Vector256.Round(Vector256.Min(Vector256.Max(x, Vector256.Create(Least)), Vector256.Create(Most)) * 1.44269504f);
        // ln 2 in two parts: the leading one has few enough bits for an exact product.
        var r = Vector256.FusedMultiplyAdd(
            n, Vector256.Create(2.12194440e-4f), Vector256.FusedMultiplyAdd(n, Vector256.Create(-0.693359375f), x));
        var p = Vector256.Create(1.9875691500e-4f);
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.3981999507e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(8.3334519073e-3f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(4.1665795894e-2f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(1.6666665459e-1f));
        p = Vector256.FusedMultiplyAdd(p, r, Vector256.Create(5.0000001201e-1f));
        p = Vector256.FusedMultiplyAdd(p * r, r, r) + Vector256<float>.One;
        var power = Vector256.ShiftLeft(Vector256.ConvertToInt32(n) + Vector256.Create(127), 23).AsSingle();
        var result = Vector256.ConditionalSelect(Vector256.LessThan(x, Vector256.Create(Least)), Vector256<float>.Zero, p * power);
        return Vector256.ConditionalSelect(
            Vector256.GreaterThan(x, Vector256.Create(Most)), Vector256.Create(float.PositiveInfinity), result);
    }

    /// <summary>x · σ(scale · (x + cubic · x³)), in place.</summary>
    private static Tensor TimesSigmoidInPlace(Tensor values, float scale, float cubic)
    {
        var elements = CpuKernels.Elements(values);
        Span<float> block = stackalloc float[Lanes];
        for (var i = 0; i < elements.Length; i += Lanes)
        {
            var part = Part(elements, i, block);
            var x = Vector256.Create<float>(part);
            var inner = cubic == 0 ? x : x + x * x * x * cubic;
            (x / (Vector256<float>.One + Exp(inner * -scale))).CopyTo(part);
            PutBack(elements, i, block);
        }
        return values;
    }

    /// <summary>Eight elements to compute on; the last ones, if fewer, copied to a block of their own.</summary>
    private static Span<float> Part(Span<float> elements, int first, Span<float> block)
    {
        if (elements.Length - first >= Lanes) return elements.Slice(first, Lanes);
        elements[first..].CopyTo(block);
        return block;
    }

    private static void PutBack(Span<float> elements, int first, Span<float> block)
    {
        if (elements.Length - first < Lanes) block[..(elements.Length - first)].CopyTo(elements[first..]);
    }
}
