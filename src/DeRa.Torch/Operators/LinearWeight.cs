using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The weights of a linear layer.</summary>
/// <param name="Weight">[outputs, inputs] in the model's element type.</param>
/// <param name="Bias">[outputs] in the model's element type, or null.</param>
internal sealed record LinearWeight(Tensor Weight, Tensor? Bias);
