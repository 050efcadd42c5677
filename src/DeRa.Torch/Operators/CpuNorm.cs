using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// The root mean square norm in float32 on the CPU (<see cref="CpuKernels"/>), in one call. Squares are added in a fixed order: eight
/// dimensions side by side, then the eight sums.
/// </summary>
internal static class CpuNorm
{
    /// <summary>input / sqrt(mean(input²) + epsilon) · weight over the last dimension.</summary>
    /// <param name="input">[…, width], contiguous.</param>
    /// <param name="weight">[width], or as many rows of it as the input's last but one dimension has.</param>
    /// <param name="epsilon">Greater than 0.</param>
    /// <returns>A new tensor of the input's shape.</returns>
    public static Tensor RootMeanSquare(Tensor input, Tensor weight, float epsilon)
    {
        var output = empty_like(input);
        var from = CpuKernels.Elements(input);
        var to = CpuKernels.Elements(output);
        var factors = CpuKernels.Elements(weight);
        var width = (int)input.size(-1);
        for (var (row, factor) = (0, 0); row < from.Length; row += width, factor = (factor + width) % factors.Length)
            Row(from.Slice(row, width), factors.Slice(factor, width), to.Slice(row, width), epsilon);
        return output;
    }

    private static void Row(ReadOnlySpan<float> from, ReadOnlySpan<float> factors, Span<float> to, float epsilon)
    {
        var inverse = 1 / MathF.Sqrt(SumOfSquares(from) / from.Length + epsilon);
        for (var i = 0; i < from.Length; i++) to[i] = from[i] * inverse * factors[i];
    }

    private static float SumOfSquares(ReadOnlySpan<float> values)
    {
        var sums = Vector256<float>.Zero;
        foreach (var part in MemoryMarshal.Cast<float, Vector256<float>>(values)) sums = Vector256.FusedMultiplyAdd(part, part, sums);
        var sum = Vector256.Sum(sums);
        for (var i = values.Length / Vector256<float>.Count * Vector256<float>.Count; i < values.Length; i++) sum += values[i] * values[i];
        return sum;
    }
}
