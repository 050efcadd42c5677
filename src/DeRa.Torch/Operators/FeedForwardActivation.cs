using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>What happens between the two matrices of a feed-forward layer.</summary>
internal static class FeedForwardActivation
{
    /// <summary>activation(gate) · up where the layer is gated (arXiv 2002.05202), else activation(input).</summary>
    /// <param name="input">[rows, 2 · width]: gate, then up; not gated [rows, width].</param>
    /// <param name="activation">The function.</param>
    /// <param name="isGated">Whether there is a gate.</param>
    /// <returns>[rows, width] in the input's element type.</returns>
    public static Tensor Apply(Tensor input, Activation activation, bool isGated)
    {
        if (CpuKernels.Supports(input) && CpuActivation.Has(activation))
            return CpuActivation.Apply(input.contiguous(), activation, isGated);
        if (!isGated) return Activate(input, activation);
        var width = input.size(1) / 2;
        return Activate(input.narrow(1, 0, width), activation).mul_(input.narrow(1, width, width));
    }

    private static Tensor Activate(Tensor input, Activation activation) => activation switch
    {
        Activation.Silu => nn.functional.silu(input),
        Activation.Gelu => input.gelu(),
        Activation.GeluTanh => input.gelu(GELU.Approximate.tanh),
        Activation.QuickGelu => input.Times(1.702).sigmoid_().mul_(input),
        Activation.Relu => input.relu(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, message: null),
    };
}
