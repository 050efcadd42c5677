using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Root mean square and layer norms.</summary>
internal static class Norm
{
    /// <summary>Normalises each row, in float32, rounding once.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="norm">The norm's weights.</param>
    /// <param name="kind">What it computes.</param>
    /// <param name="epsilon">Greater than 0.</param>
    /// <returns>[rows, width] in the input's element type.</returns>
    public static Tensor Apply(Tensor input, NormWeight norm, NormKind kind, double epsilon)
    {
        if (kind != NormKind.Layer && CpuKernels.Supports(input)) return RootMeanSquare(input, norm.Weight, epsilon);
        var wide = input.to(ScalarType.Float32);
        var normed = kind == NormKind.Layer
            ? nn.functional.layer_norm(wide, [wide.size(-1)], norm.Weight, norm.Bias, epsilon)
            : RootMeanSquare(wide, norm.Weight, epsilon);
        return normed.to(input.dtype);
    }

    /// <summary>input / sqrt(mean(input²) + epsilon) · weight over the last dimension.</summary>
    /// <param name="input">[…, width], float32.</param>
    /// <param name="weight">float32, broadcastable to the input's shape.</param>
    /// <param name="epsilon">Greater than 0.</param>
    public static Tensor RootMeanSquare(Tensor input, Tensor weight, double epsilon)
    {
        if (CpuKernels.Supports(input)) return CpuNorm.RootMeanSquare(input.contiguous(), weight, (float)epsilon);
        var inverse = (input * input).mean([-1], keepdim: true).PlusInPlace(epsilon).rsqrt_(); // […, 1]
        return (input * inverse).mul_(weight);
    }
}

/// <summary>The weights of a norm.</summary>
/// <param name="Weight">[width], float32.</param>
/// <param name="Bias">[width], float32, or null.</param>
internal sealed record NormWeight(Tensor Weight, Tensor? Bias);
