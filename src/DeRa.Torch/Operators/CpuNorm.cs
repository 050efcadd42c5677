using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using DeRa.Torch.Kernels;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// The root mean square norm in float32 on the CPU (<see cref="CpuKernels"/>), in one call. Squares are added in a fixed order: eight
/// dimensions side by side, then the eight sums.
/// </summary>
internal static unsafe class CpuNorm
{
    private const int Lanes = 8;

    /// <summary>input / sqrt(mean(input²) + epsilon) · weight over the last dimension.</summary>
    /// <param name="input">[…, width], contiguous.</param>
    /// <param name="weight">[width], or as many rows of it as the input's last but one dimension has.</param>
    /// <param name="epsilon">Greater than 0.</param>
    /// <returns>A new tensor of the input's shape.</returns>
    public static Tensor RootMeanSquare(Tensor input, Tensor weight, float epsilon)
    {
        var output = empty_like(input);
        var width = (int)input.size(-1);
        fixed (float* from = CpuKernels.Elements(input), factors = CpuKernels.Elements(weight), to = CpuKernels.Elements(output))
        {
            var rows = new Rows(from, factors, (int)weight.numel() / width, to, width, epsilon);
            RowWork<Rows>.Run(rows, (int)(input.numel() / width), width);
        }
        return output;
    }

    private readonly struct Rows(float* from, float* factors, int factorRows, float* to, int width, float epsilon) : IRowWork
    {
        public void Run(int first, int end)
        {
            for (var row = first; row < end; row++)
                Run(from + (long)row * width, factors + row % factorRows * width, to + (long)row * width);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private void Run(float* own, float* factors, float* to)
        {
            var inverse = 1 / MathF.Sqrt(SumOfSquares(own) / width + epsilon);
            var i = 0;
            for (; i <= width - Lanes; i += Lanes) (Vector256.Load(own + i) * inverse * Vector256.Load(factors + i)).Store(to + i);
            for (; i < width; i++) to[i] = own[i] * inverse * factors[i];
        }

        private float SumOfSquares(float* own)
        {
            var (sums, i) = (Vector256<float>.Zero, 0);
            for (; i <= width - Lanes; i += Lanes)
            {
                var part = Vector256.Load(own + i);
                sums = Vector256.FusedMultiplyAdd(part, part, sums);
            }
            var sum = Vector256.Sum(sums);
            for (; i < width; i++) sum += own[i] * own[i];
            return sum;
        }
    }
}
