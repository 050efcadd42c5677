using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>What an adapter adds to a weight: <see cref="Up"/> · <see cref="Down"/> (LoRA, arXiv 2106.09685).</summary>
/// <param name="Down">[rank, inputs] in the model's element type.</param>
/// <param name="Up">[outputs, rank] in the model's element type, scale included.</param>
internal sealed record LowRank(Tensor Down, Tensor Up);
