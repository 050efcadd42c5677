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
        if (!isGated) return Activate(input, activation);
        var width = input.size(1) / 2;
        if (CpuKernels.Supports(input) && CpuActivation.InPlace(activation) is { } inPlace) return GateOnCpu(input, (int)width, inPlace);
        return Activate(input.narrow(1, 0, width), activation).mul_(input.narrow(1, width, width));
    }

    private static Tensor Activate(Tensor input, Activation activation) => CpuKernels.Supports(input)
        ? ActivateOnCpu(input, activation)
        : ActivateByLibTorch(input, activation);

    /// <summary>Row by row, without views of the two halves.</summary>
    private static Tensor GateOnCpu(Tensor input, int width, Func<Tensor, Tensor> activateInPlace)
    {
        var output = empty([input.size(0), width], ScalarType.Float32);
        var from = CpuKernels.Elements(input);
        var to = CpuKernels.Elements(output);
        for (var row = 0; row < to.Length; row += width) from.Slice(2 * row, width).CopyTo(to[row..]);
        activateInPlace(output);
        for (var row = 0; row < to.Length; row += width)
        {
            var up = from.Slice(2 * row + width, width);
            var own = to.Slice(row, width);
            for (var i = 0; i < own.Length; i++) own[i] *= up[i];
        }
        return output;
    }

    private static Tensor ActivateOnCpu(Tensor input, Activation activation) => activation switch
    {
        _ when CpuActivation.InPlace(activation) is { } inPlace => inPlace(Copy(input)),
        // The error function row by row: calls of equal size split their elements among threads equally.
        Activation.Gelu => cat([.. Enumerable.Range(0, (int)input.size(0)).Select(row => input.narrow(0, row, 1).contiguous().gelu())], 0),
        _ => ActivateByLibTorch(input, activation),
    };

    private static Tensor Copy(Tensor input) => input.is_contiguous() ? input.clone() : input.contiguous();

    private static Tensor ActivateByLibTorch(Tensor input, Activation activation) => activation switch
    {
        Activation.Silu => nn.functional.silu(input),
        Activation.Gelu => input.gelu(),
        Activation.GeluTanh => input.gelu(GELU.Approximate.tanh),
        Activation.QuickGelu => input.Times(1.702).sigmoid_().mul_(input),
        Activation.Relu => input.relu(),
        _ => throw new ArgumentOutOfRangeException(nameof(activation), activation, message: null),
    };
}
