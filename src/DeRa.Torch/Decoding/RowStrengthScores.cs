using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>Scores of rows at many strengths by libtorch's operators, on any device.</summary>
internal sealed class RowStrengthScores
{
    private readonly IReadOnlyList<LogitRow> _rows;
    private readonly int[] _swept;

    /// <summary>Chooses the rows.</summary>
    public RowStrengthScores(IReadOnlyList<LogitRow> rows, bool[] failed)
    {
        _rows = rows;
        _swept = TensorRows.Where(rows.Count, row => !failed[row] && rows[row].Sweep is not null);
        Count = _swept.Sum(row => 2 * rows[row].Sweep!.Value.Strengths.Count + rows[row].Strengths.ActiveModels.Length);
    }

    /// <summary>How many values <see cref="Compute"/> gives.</summary>
    public int Count { get; }

    /// <summary>
    /// A tensor a row, float32: log-probabilities at each strength, divergences from the reference, log-probabilities of each active model.
    /// </summary>
    /// <param name="members">The members' logits.</param>
    /// <param name="vocabularySize">Size of the vocabulary; further columns are padding.</param>
    /// <param name="device">Where it is computed.</param>
    public IEnumerable<Tensor> Compute(IReadOnlyList<ModelLogits> members, int vocabularySize, Device device)
    {
        foreach (var row in _swept)
        {
            var (sweep, active) = (_rows[row].Sweep!.Value, _rows[row].Strengths.ActiveModels);
            var logits = cat([.. active.Select(model => members[model].Take([row], vocabularySize, device))], 0); // [active, vocabulary]
            var ofModels = logits.log_softmax(1);
            float[] weights = [.. sweep.Strengths.SelectMany(mixture => active.Select(model => (float)mixture.OfMember(model)))];
            var mixed = DeviceTensor.Upload(tensor(weights, [sweep.Strengths.Count, active.Length]), device).matmul(logits).log_softmax(1);
            var divergences = active[0] != 0 ? zeros_like(mixed.select(1, 0))
                : mixed.exp().mul_(mixed.sub(ofModels.narrow(0, 0, 1))).nan_to_num(0, double.PositiveInfinity, double.NegativeInfinity)
                    .sum(1).clamp_min_(Arithmetic.Zero);
            yield return cat([mixed.select(1, sweep.Token), divergences, ofModels.select(1, sweep.Token)], 0);
        }
    }

    /// <summary>Adds what was computed to the results of its rows.</summary>
    /// <param name="results">One a row.</param>
    /// <param name="values">The result of <see cref="Compute"/>, on the host.</param>
    public void AddTo(ReadoutResult[] results, ReadOnlySpan<double> values)
    {
        foreach (var row in _swept)
        {
            var (sweep, active) = (_rows[row].Sweep!.Value, _rows[row].Strengths.ActiveModels);
            var count = sweep.Strengths.Count;
            var ofModels = new double[active[^1] + 1];
            Array.Fill(ofModels, double.NaN);
            for (var i = 0; i < active.Length; i++) ofModels[active[i]] = values[2 * count + i];
            results[row] = new ReadoutResult
            {
                Sweep = new StrengthScores(sweep.Token, values[..count].ToArray(), values[count..(2 * count)].ToArray(), ofModels),
            };
            values = values[(2 * count + active.Length)..];
        }
    }
}
