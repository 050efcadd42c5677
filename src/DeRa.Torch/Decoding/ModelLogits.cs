using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>One model's logits for the rows that it ran.</summary>
/// <param name="Logits">[model rows, width ≥ vocabulary], the model's dtype, on the model's device; null where it ran none.</param>
/// <param name="Rows">The output row of each row of <paramref name="Logits"/>; each output row at most once.</param>
internal sealed record ModelLogits(Tensor? Logits, IReadOnlyList<int> Rows)
{
    /// <summary>A model that ran no row.</summary>
    public static ModelLogits None { get; } = new(null, []);

    /// <summary>
    /// The logits of some output rows, in their order: float32 [count, vocabulary] on <paramref name="device"/>. May share
    /// memory with <see cref="Logits"/>: never write to it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model did not run one of the rows.</exception>
    public Tensor Take(IReadOnlyList<int> outputRows, int vocabularySize, Device device)
    {
        if (Logits is null) throw new InvalidOperationException("a row needs the logits of a model that did not run");
        var positions = new Dictionary<int, int>();
        for (var i = 0; i < Rows.Count; i++) positions.Add(Rows[i], i);
        var taken = new int[outputRows.Count];
        for (var i = 0; i < taken.Length; i++)
            if (!positions.TryGetValue(outputRows[i], out taken[i]))
                throw new InvalidOperationException($"row {outputRows[i]} needs the logits of a model that did not run it");
        return TensorRows.Take(Logits.narrow(1, 0, vocabularySize), taken).to(device).to(ScalarType.Float32);
    }
}
