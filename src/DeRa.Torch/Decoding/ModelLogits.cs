using System.Runtime.InteropServices;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>One model's logits for the rows that it ran.</summary>
/// <param name="Logits">[model rows, width ≥ vocabulary], the model's dtype, on the model's device; null where it ran none.</param>
/// <param name="Rows">The output row of each row of <paramref name="Logits"/>; each output row at most once.</param>
internal sealed record ModelLogits(Tensor? Logits, IReadOnlyList<int> Rows)
{
    /// <summary>A model that ran no row.</summary>
    public static ModelLogits None { get; } = new(null, []);

    /// <summary>Further rows, which were kept by earlier steps; null = none.</summary>
    public KeptRows? Kept { get; init; }

    /// <summary>Where its logits are; null where there are none.</summary>
    public Device? Device => (Logits ?? Kept?.Store.Logits)?.device;

    /// <summary>
    /// The logits of some output rows, in their order: float32 [count, vocabulary] on <paramref name="device"/>. May share
    /// memory with <see cref="Logits"/>: never write to it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model did not run one of the rows.</exception>
    public Tensor Take(IReadOnlyList<int> outputRows, int vocabularySize, Device device)
    {
        var (all, rows) = Gathered(vocabularySize);
        var positions = new Dictionary<int, int>();
        for (var i = 0; i < rows.Count; i++) positions.Add(rows[i], i);
        var taken = new int[outputRows.Count];
        for (var i = 0; i < taken.Length; i++)
            if (!positions.TryGetValue(outputRows[i], out taken[i]))
                throw new InvalidOperationException($"row {outputRows[i]} needs the logits of a model that did not run it");
        return TensorRows.Take(all, taken).to(device).to(ScalarType.Float32);
    }

    /// <summary>All rows in one tensor: [rows, vocabulary].</summary>
    private (Tensor Logits, IReadOnlyList<int> Rows) Gathered(int vocabularySize)
    {
        var own = Logits?.narrow(1, 0, vocabularySize);
        if (Kept is not { } kept)
            return (own ?? throw new InvalidOperationException("a row needs the logits of a model that did not run"), Rows);
        var store = kept.Store.Logits;
        var before = store.index_select(0, DeviceTensor.Of(CollectionsMarshal.AsSpan(kept.Slots), store.device));
        return own is null ? (before, kept.Rows) : (cat([own.to(ScalarType.Float32), before], 0), [.. Rows, .. kept.Rows]);
    }
}

/// <summary>Rows of logits that were kept by earlier steps.</summary>
/// <param name="Store">Where.</param>
/// <param name="Slots">Their slots.</param>
/// <param name="Rows">The output row of each.</param>
internal sealed record KeptRows(LogitStore Store, List<int> Slots, List<int> Rows);
