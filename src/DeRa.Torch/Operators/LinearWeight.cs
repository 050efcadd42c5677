using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The weights of a linear layer.</summary>
/// <param name="Weight">[outputs, inputs] in the model's element type.</param>
/// <param name="Bias">[outputs] in the model's element type, or null.</param>
internal sealed record LinearWeight(Tensor Weight, Tensor? Bias)
{
    /// <summary>The term of each of the model's adapters; null where one adds nothing here.</summary>
    public IReadOnlyList<LowRank?> Adapters { get; init; } = [];

    /// <summary>Every tensor.</summary>
    public IEnumerable<Tensor> Tensors =>
        new[] { Weight, Bias }.Concat(Adapters.SelectMany(adapter => new[] { adapter?.A, adapter?.B })).OfType<Tensor>();
}

/// <summary>What an adapter adds to a weight: <see cref="B"/> · <see cref="A"/> (LoRA, arXiv 2106.09685).</summary>
/// <param name="A">[rank, inputs] in the model's element type.</param>
/// <param name="B">[outputs, rank] in the model's element type, scale included.</param>
internal sealed record LowRank(Tensor A, Tensor B);
