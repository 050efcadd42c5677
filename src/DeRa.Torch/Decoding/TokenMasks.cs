using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Sets the logits of tokens that may not be sampled to −∞: after mixing, since 0 · −∞ is NaN, and after penalties and bias.
/// </summary>
internal static class TokenMasks
{
    /// <summary>Masks every row that asks for it.</summary>
    /// <param name="logits">float32 [rows, vocabulary]; not changed.</param>
    /// <param name="rows">What each row asks for; rows marked in <paramref name="failed"/> are skipped.</param>
    /// <param name="failed">[rows]: true where a row's tokens are outside the vocabulary.</param>
    /// <returns>The masked logits; <paramref name="logits"/> itself where no row has a mask.</returns>
    public static Tensor Apply(Tensor logits, IReadOnlyList<LogitRow> rows, bool[] failed)
    {
        var masks = new SamplingMask?[rows.Count];
        for (var row = 0; row < masks.Length; row++)
            if (rows[row].Sampling is { } sampling && !failed[row]) masks[row] = SamplingMask.Of(sampling, logits.shape[1]);
        return Array.TrueForAll(masks, mask => mask is null) ? logits : Allow(Forbid(logits, masks), masks);
    }

    private static Tensor Forbid(Tensor logits, SamplingMask?[] masks)
    {
        var places = Places(masks, logits.shape[1], mask => mask.Forbidden);
        return places.Length == 0 ? logits
            : logits.reshape(-1).index_fill(0, DeviceTensor.Upload(tensor(places), logits.device), Arithmetic.NegativeInfinity)
                .view(logits.shape);
    }

    private static Tensor Allow(Tensor logits, SamplingMask?[] masks)
    {
        var rows = TensorRows.Where(masks.Length, row => masks[row]?.Allowed is not null);
        if (rows.Length == 0) return logits;
        var from = DeviceTensor.Upload(tensor(Places(masks, logits.shape[1], mask => mask.Allowed ?? [])), logits.device);
        var masked = logits.index_fill(0, TensorRows.Index(rows, logits.device), Arithmetic.NegativeInfinity);
        masked.view(-1).index_copy_(0, from, logits.reshape(-1).index_select(0, from));
        return masked;
    }

    /// <summary>Offsets in the flattened logits.</summary>
    private static long[] Places(SamplingMask?[] masks, long vocabularySize, Func<SamplingMask, IReadOnlyCollection<int>> tokens)
    {
        var places = new List<long>();
        for (var row = 0; row < masks.Length; row++)
            if (masks[row] is { } mask)
                foreach (var token in tokens(mask)) places.Add(row * vocabularySize + token);
        return [.. places];
    }
}
