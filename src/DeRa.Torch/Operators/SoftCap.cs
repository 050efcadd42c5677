using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Bounds numbers smoothly (arXiv 1611.09940, Gemma 2).</summary>
internal static class SoftCap
{
    /// <summary>cap · tanh(values / cap), in place.</summary>
    /// <param name="values">float32.</param>
    /// <param name="cap">Greater than 0.</param>
    public static Tensor Apply(Tensor values, double cap) => CpuKernels.Supports(values)
        ? CpuActivation.SoftCapInPlace(values, cap)
        : values.TimesInPlace(1 / cap).tanh_().TimesInPlace(cap);
}
