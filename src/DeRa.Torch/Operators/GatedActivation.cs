using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The one door to the feed-forward layer's gate (SwiGLU, arXiv 2002.05202).</summary>
internal static class GatedActivation
{
    /// <summary>silu(gate) · up.</summary>
    /// <param name="gateUp">[rows, 2 · width]: gate, then up.</param>
    /// <returns>[rows, width] in the input's element type.</returns>
    public static Tensor Apply(Tensor gateUp)
    {
        var width = gateUp.size(1) / 2;
        return nn.functional.silu(gateUp.narrow(1, 0, width)).mul_(gateUp.narrow(1, width, width));
    }
}
