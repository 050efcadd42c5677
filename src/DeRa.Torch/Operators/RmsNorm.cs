using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The one door to root-mean-square norms (arXiv 1910.07467).</summary>
internal static class RmsNorm
{
    /// <summary>input / sqrt(mean(input²) + epsilon) · weight, computed in float32 and rounded once.</summary>
    /// <param name="input">[rows, width].</param>
    /// <param name="weight">[width], float32.</param>
    /// <param name="epsilon">Greater than 0.</param>
    /// <returns>[rows, width] in the input's element type.</returns>
    public static Tensor Apply(Tensor input, Tensor weight, double epsilon)
    {
        var wide = input.to(ScalarType.Float32);
        var inverse = wide.square().mean([-1], keepdim: true).add_(epsilon).rsqrt_(); // [rows, 1]
        return (wide * inverse).mul_(weight).to(input.dtype);
    }
}
