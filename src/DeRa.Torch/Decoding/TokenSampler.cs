using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// Samples one token a row: the most likely at temperature 0, else the one whose scaled logit plus Gumbel noise is largest; of equal
/// ones the lowest id.
/// </summary>
internal static class TokenSampler
{
    /// <summary>Samples the rows that ask for it.</summary>
    /// <param name="logits">float32 [rows, vocabulary]: mixed, with penalties and bias.</param>
    /// <param name="best">float32 [rows]: each row's largest logit.</param>
    /// <param name="rows">What each row asks for.</param>
    /// <returns>int64 [rows] in [0, vocabulary): 0 for a row that is not sampled, any token for one that is not finite.</returns>
    public static Tensor Sample(Tensor logits, Tensor best, IReadOnlyList<LogitRow> rows)
    {
        var greedy = TensorRows.Where(rows.Count, row => rows[row].Sampling is { Parameters.Temperature: 0 });
        var drawn = TensorRows.Where(rows.Count, row => rows[row].Sampling is { Parameters.Temperature: not 0 });
        if (greedy.Length == rows.Count) return logits.argmax(1);
        var tokens = zeros([rows.Count], ScalarType.Int64, logits.device);
        if (greedy.Length > 0) TensorRows.Put(tokens, greedy, TensorRows.Take(logits, greedy).argmax(1));
        if (drawn.Length > 0)
            TensorRows.Put(tokens, drawn, Draw(TensorRows.Take(logits, drawn), TensorRows.Take(best, drawn).unsqueeze(1),
                Array.ConvertAll(drawn, row => rows[row].Sampling!.Value)));
        return tokens;
    }

    /// <summary>Subtracts the largest logits first: dividing large numbers by a low temperature would lose their differences.</summary>
    private static Tensor Draw(Tensor logits, Tensor best, SamplingRow[] rows)
    {
        var temperature = TensorRows.Column(Array.ConvertAll(rows, row => row.Parameters.Temperature), logits.device);
        var scaled = logits.sub(best).div_(temperature);
        var kept = TokenFilter.Kept(scaled, Array.ConvertAll(rows, row => row.Parameters));
        var sums = DeviceNoise.Of(Array.ConvertAll(rows, row => row.NoiseKey), logits.shape[1], logits.device).PlusInPlace(scaled);
        return (kept is null ? sums : sums.masked_fill_(kept.logical_not_(), Arithmetic.NegativeInfinity)).argmax(1);
    }
}
