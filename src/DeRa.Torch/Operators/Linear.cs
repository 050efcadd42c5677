using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The one door to matrix products with weights.</summary>
internal static class Linear
{
    /// <summary>input · weightᵀ + bias, accumulated in float32.</summary>
    /// <param name="input">[rows, inputs].</param>
    /// <param name="layer">[outputs, inputs] and [outputs].</param>
    /// <returns>[rows, outputs] in the input's element type.</returns>
    public static Tensor Apply(Tensor input, LinearWeight layer) => nn.functional.linear(input, layer.Weight, layer.Bias);
}
