using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>The measures of sampled tokens by libtorch's operators, on any device.</summary>
internal sealed class RowMeasures
{
    private readonly IReadOnlyList<LogitRow> _rows;
    private readonly int[] _measured;
    private readonly int _vocabularySize;

    /// <summary>Chooses the rows.</summary>
    public RowMeasures(IReadOnlyList<LogitRow> rows, bool[] failed, int vocabularySize)
    {
        (_rows, _vocabularySize) = (rows, vocabularySize);
        _measured = TensorRows.Where(rows.Count, row => !failed[row] && rows[row].Sampling?.Measures is not null);
        Count = _measured.Sum(Width);
    }

    /// <summary>How many values <see cref="Compute"/> gives.</summary>
    public int Count { get; }

    /// <summary>
    /// A tensor a row, float64: of the mixture and of each active model the token's log-probability; log Σ exp of each; the mixture's
    /// divergences from each model; the best log-probabilities of each; their tokens.
    /// </summary>
    /// <param name="members">The members' logits.</param>
    /// <param name="mixed">float32 [rows, vocabulary].</param>
    /// <param name="tokens">int64 [rows]: the sampled tokens; null where none were, and then no row asks.</param>
    public IEnumerable<Tensor> Compute(IReadOnlyList<ModelLogits> members, Tensor mixed, Tensor? tokens)
    {
        foreach (var row in _measured)
        {
            Tensor[] rows = [mixed.narrow(0, row, 1),
                .. _rows[row].Strengths.ActiveModels.Select(model => members[model].Take([row], _vocabularySize, mixed.device))];
            var logits = cat(rows, 0).to(ScalarType.Float64); // [1 + active, vocabulary]
            var logSums = logits.logsumexp(1, keepdim: true);
            var logProbs = logits.sub(logSums);
            var mixture = logProbs.narrow(0, 0, 1);
            // A token of probability 0 in both adds nothing: 0 · (−∞ + ∞) is NaN.
            var divergences = mixture.exp().mul(mixture.sub(logProbs.narrow(0, 1, rows.Length - 1)))
                .nan_to_num(0, double.PositiveInfinity, double.NegativeInfinity).sum(1);
            var (best, ids) = logProbs.topk(Top(row), 1);
            yield return cat([logProbs.index_select(1, tokens!.narrow(0, row, 1)).reshape(-1), logSums.reshape(-1), divergences,
                best.reshape(-1), ids.to(ScalarType.Float64).reshape(-1)], 0);
        }
    }

    /// <summary>Adds what was computed to the results of its rows.</summary>
    /// <param name="results">One a row.</param>
    /// <param name="values">The result of <see cref="Compute"/>, on the host.</param>
    public void AddTo(ReadoutResult[] results, ReadOnlySpan<double> values)
    {
        foreach (var row in _measured)
        {
            results[row] = Read(row, results[row], values);
            values = values[Width(row)..];
        }
    }

    private ReadoutResult Read(int row, ReadoutResult result, ReadOnlySpan<double> values)
    {
        var (strengths, top) = (_rows[row].Strengths, Top(row));
        var count = 1 + strengths.ActiveModels.Length;
        var logProbs = values[..count];
        var logSums = values[count..(2 * count)];
        var divergences = values[(2 * count)..(3 * count - 1)];
        var best = values[(3 * count - 1)..];
        var models = new ModelMeasures[count - 1];
        var logZ = logSums[0];
        for (var i = 0; i < models.Length; i++)
        {
            if (!double.IsFinite(logSums[1 + i])) return new ReadoutResult { Error = RowFaults.Logits(logSums[1 + i]) };
            if (strengths.OfMember(strengths.ActiveModels[i]) is not 0 and var weight) logZ -= (float)weight * logSums[1 + i];
            models[i] = new ModelMeasures(Math.Min(0, logProbs[1 + i]), Math.Max(0, divergences[i]), Best(best, count, top, 1 + i));
        }
        return result with
        {
            Measures = new TokenMeasures(result.Token, Math.Min(0, logProbs[0]), RowWeights.LogZ(strengths, logZ), models)
            {
                Top = Best(best, count, top, 0),
            },
        };
    }

    /// <summary>The best of one distribution; of equal ones the lowest id first, which the device does not guarantee.</summary>
    private static (int Token, float LogProb)[] Best(ReadOnlySpan<double> best, int count, int top, int place)
    {
        var all = new (int Token, float LogProb)[top];
        for (var i = 0; i < top; i++) all[i] = ((int)best[(count + place) * top + i], (float)best[place * top + i]);
        return [.. all.OrderByDescending(item => item.LogProb).ThenBy(item => item.Token)];
    }

    private int Top(int row) => Math.Min(_rows[row].Sampling!.Value.Measures!.Value, _vocabularySize);

    private int Width(int row)
    {
        var count = 1 + _rows[row].Strengths.ActiveModels.Length;
        return 3 * count - 1 + 2 * count * Top(row);
    }
}
