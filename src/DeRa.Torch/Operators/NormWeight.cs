using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The weights of a norm.</summary>
/// <param name="Weight">[width], float32.</param>
/// <param name="Bias">[width], float32, or null.</param>
internal sealed record NormWeight(Tensor Weight, Tensor? Bias);
