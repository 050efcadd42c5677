using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// KL(p ‖ reference) of rows in which the reference model and another have a weight, in nats: how far the mixture p is from it,
/// before penalties, bias, masks, temperature and filters. Every eighth token of a sequence is measured, which costs less than
/// one pass over the logits.
/// </summary>
internal sealed class ReferenceDivergence
{
    private const int Every = 8;
    private readonly int[] _rows;

    /// <summary>Chooses the rows.</summary>
    public ReferenceDivergence(IReadOnlyList<LogitRow> rows, bool[] failed) =>
        _rows = TensorRows.Where(rows.Count, row => !failed[row] && IsMeasured(rows[row]));

    /// <summary>How many values <see cref="Compute"/> gives.</summary>
    public int Count => _rows.Length;

    /// <summary>float32 [<see cref="Count"/>]; nothing where that is 0.</summary>
    /// <param name="mixed">float32 [rows, vocabulary].</param>
    /// <param name="reference">The reference model's logits.</param>
    /// <param name="vocabularySize">Size of the vocabulary; further columns are padding.</param>
    public IEnumerable<Tensor> Compute(Tensor mixed, ModelLogits reference, int vocabularySize)
    {
        if (Count == 0) return [];
        var logP = TensorRows.Take(mixed, _rows).log_softmax(1);
        var logQ = reference.Take(_rows, vocabularySize, mixed.device).log_softmax(1);
        // A token of probability 0 in both adds nothing: 0 · (−∞ + ∞) is NaN.
        var parts = logP.exp().mul_(logP.sub(logQ)).nan_to_num(0, double.PositiveInfinity, double.NegativeInfinity);
        return [parts.sum(1).clamp_min_(Arithmetic.Zero)];
    }

    /// <summary>Adds what was computed to the results of its rows.</summary>
    /// <param name="results">One a row.</param>
    /// <param name="values">The result of <see cref="Compute"/>, on the host.</param>
    public void AddTo(ReadoutResult[] results, ReadOnlySpan<double> values)
    {
        for (var i = 0; i < _rows.Length; i++)
            if (double.IsFinite(values[i])) results[_rows[i]] = results[_rows[i]] with { ReferenceDivergence = values[i] };
    }

    /// <summary>Whether a row is measured; guesses never are.</summary>
    public static bool IsMeasured(LogitRow row) =>
        row.Sampling is { } sampling && sampling.History.Length % Every == 0 && row.KnownModels is null
        && row.Strengths.WeightedModels is [0, _, ..];
}
