using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The weights of a linear layer.</summary>
/// <param name="Weight">[outputs, inputs].</param>
/// <param name="Bias">[outputs] in the type of activations, or null.</param>
internal sealed record LinearWeight(IWeightMatrix Weight, Tensor? Bias)
{
    /// <summary>The term of each of the model's adapters; null where one adds nothing here.</summary>
    public IReadOnlyList<LowRank?> Adapters { get; init; } = [];

    /// <summary>Every matrix.</summary>
    public IEnumerable<IWeightMatrix> Matrices =>
        Adapters.OfType<LowRank>().SelectMany(adapter => new[] { adapter.A, adapter.B }).Prepend(Weight);
}

/// <summary>What an adapter adds to a weight: <see cref="B"/> · <see cref="A"/> (LoRA, arXiv 2106.09685).</summary>
/// <param name="A">[rank, inputs].</param>
/// <param name="B">[outputs, rank], scale included.</param>
internal sealed record LowRank(IWeightMatrix A, IWeightMatrix B);
