using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>Samples one token a row: the most likely at temperature 0, else by inverse CDF over token ids in order.</summary>
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
                Array.ConvertAll(drawn, row => rows[row].Sampling!)));
        return tokens;
    }

    /// <summary>Subtracts the largest logits first: dividing large numbers by a low temperature would lose their differences.</summary>
    private static Tensor Draw(Tensor logits, Tensor best, SamplingRow[] rows)
    {
        var device = logits.device;
        var temperature = TensorRows.Column(Array.ConvertAll(rows, row => row.Parameters.Temperature), device);
        var draws = TensorRows.Column(Array.ConvertAll(rows, row => row.Draw), device);
        var scaled = logits.sub(best).div_(temperature);
        var probabilities = TokenFilter.Probabilities(scaled, Array.ConvertAll(rows, row => row.Parameters));
        var tokens = InvertCumulative(probabilities, draws);
        var filters = Array.Exists(rows, row => TokenFilter.Filters(row.Parameters, logits.shape[1]));
        return (filters ? KeptOnly(probabilities, tokens) : tokens).squeeze(1);
    }

    /// <summary>
    /// The first token whose cumulative probability exceeds draw · total: [rows, 1]. A draw is at most 1 − 2⁻⁵³, so the product rounds
    /// to less than the total and a token is found unless the row holds NaN.
    /// </summary>
    private static Tensor InvertCumulative(Tensor probabilities, Tensor draws)
    {
        var last = probabilities.shape[1] - 1;
        var cumulative = probabilities.cumsum(1, ScalarType.Float64);
        using var most = last.ToScalar();
        return searchsorted(cumulative, draws.mul(cumulative.narrow(1, last, 1)), right: true).clamp_max_(most);
    }

    /// <summary>
    /// A parallel cumulative sum may not be monotone to the last bit: a dropped token is replaced by the most likely one.
    /// </summary>
    private static Tensor KeptOnly(Tensor probabilities, Tensor tokens) =>
        where(probabilities.gather(1, tokens).gt(Arithmetic.Zero), tokens, probabilities.argmax(1, keepdim: true));
}
