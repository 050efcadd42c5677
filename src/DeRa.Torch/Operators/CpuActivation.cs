using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeRa.Torch.Configuration;
using DeRa.Torch.Kernels;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Elementwise functions in float32 on the CPU (<see cref="CpuKernels"/>): the same bits at any place of a tensor.</summary>
internal static unsafe class CpuActivation
{
    private const int Lanes = 8;

    private static readonly float GeluScale = (float)(2 * Math.Sqrt(2 / Math.PI));

    private interface IFunction
    {
        Vector256<float> Of(Vector256<float> x);
    }

    /// <summary>Whether a function is computed here.</summary>
    public static bool Has(Activation activation) => activation is
        Activation.Silu or Activation.Gelu or Activation.GeluTanh or Activation.QuickGelu;

    /// <summary>activation(gate) · up where the layer is gated, else activation(input).</summary>
    /// <param name="input">[rows, 2 · width]: gate, then up; not gated [rows, width]. Contiguous.</param>
    /// <param name="activation">One that <see cref="Has"/> names.</param>
    /// <param name="isGated">Whether there is a gate.</param>
    /// <returns>[rows, width], a new tensor.</returns>
    public static Tensor Apply(Tensor input, Activation activation, bool isGated)
    {
        var width = (int)input.size(1) / (isGated ? 2 : 1);
        var output = empty([input.size(0), width], ScalarType.Float32);
        fixed (float* from = CpuKernels.Elements(input), to = CpuKernels.Elements(output))
        {
            var rows = new Matrix(from, to, (int)input.size(0), width, isGated);
            switch (activation)
            {
                // x · σ(x)
                case Activation.Silu:
                    Run(rows, new TimesSigmoid(1, 0));
                    break;
                // x · Φ(x)
                case Activation.Gelu:
                    Run(rows, default(TimesNormal));
                    break;
                // x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))), which is x · σ(2 √(2/π) · (…))
                case Activation.GeluTanh:
                    Run(rows, new TimesSigmoid(GeluScale, 0.044715f));
                    break;
                // x · σ(1.702 x)
                case Activation.QuickGelu:
                    Run(rows, new TimesSigmoid(1.702f, 0));
                    break;
                default:
                    throw new ArgumentOutOfRangeException(nameof(activation), activation, message: null);
            }
        }
        return output;
    }

    /// <summary>cap · tanh(x / cap), in place.</summary>
    /// <param name="values">Of any shape, contiguous.</param>
    /// <param name="cap">Greater than 0.</param>
    public static Tensor SoftCapInPlace(Tensor values, double cap)
    {
        if (values.numel() == 0) return values;
        var width = (int)values.size(-1);
        fixed (float* elements = CpuKernels.Elements(values))
            Run(new Matrix(elements, elements, (int)(values.numel() / width), width, isGated: false), new Cap((float)cap));
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

    private static void Run<TFunction>(Matrix matrix, TFunction function)
        where TFunction : struct, IFunction =>
        RowWork<Rows<TFunction>>.Run(new Rows<TFunction>(matrix, function), matrix.Count, matrix.Width);

    /// <summary>x · σ(scale · (x + cubic · x³)).</summary>
    private readonly struct TimesSigmoid(float scale, float cubic) : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Of(Vector256<float> x)
        {
            var inner = cubic == 0 ? x : x + x * x * x * cubic;
            return x / (Vector256<float>.One + Exp(inner * -scale));
        }
    }

    /// <summary>x · Φ(x) = max(x, 0) − |x| · Φ(−|x|), which cancels no digits. −∞ gives 0.</summary>
    private readonly struct TimesNormal : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Of(Vector256<float> x)
        {
            // Beyond the clamp the tail is 0, and ∞ times 0 would be NaN.
            var t = Vector256.Min(Vector256.Abs(x), Vector256.Create(NormalTail.End));
            return Vector256.FusedMultiplyAdd(-t, NormalTail.Of(t), Vector256.Max(x, Vector256<float>.Zero));
        }
    }

    /// <inheritdoc cref="SoftCapInPlace"/>
    private readonly struct Cap(float cap) : IFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public Vector256<float> Of(Vector256<float> x) => SoftCap(x, cap);
    }

    /// <param name="from">[rows, width], gated [rows, 2 · width].</param>
    /// <param name="to">[rows, width]; may be <paramref name="from"/> where that is not gated.</param>
    /// <param name="count">Rows.</param>
    /// <param name="width">Results of a row.</param>
    /// <param name="isGated">Whether results are multiplied by the second half of a row.</param>
    private readonly struct Matrix(float* from, float* to, int count, int width, bool isGated)
    {
        public float* From { get; } = from;

        public float* To { get; } = to;

        public int Count { get; } = count;

        public int Width { get; } = width;

        public bool IsGated { get; } = isGated;
    }

    private readonly struct Rows<TFunction>(Matrix matrix, TFunction function) : IRowWork
        where TFunction : struct, IFunction
    {
        public void Run(int first, int end)
        {
            var (width, stride) = (matrix.Width, (long)matrix.Width * (matrix.IsGated ? 2 : 1));
            for (var row = first; row < end; row++)
                Run(matrix.From + row * stride, matrix.From + row * stride + width, matrix.To + (long)row * width);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Run(float* from, float* up, float* to)
        {
            var i = 0;
            for (; i <= matrix.Width - Lanes; i += Lanes)
            {
                var value = function.Of(Vector256.Load(from + i));
                (matrix.IsGated ? value * Vector256.Load(up + i) : value).Store(to + i);
            }
            var rest = matrix.Width - i;
            if (rest == 0) return;
            var block = stackalloc float[Lanes];
            for (var j = 0; j < rest; j++) block[j] = from[i + j];
            function.Of(Vector256.Load(block)).Store(block);
            for (var j = 0; j < rest; j++) to[i + j] = matrix.IsGated ? block[j] * up[i + j] : block[j];
        }
    }
}
