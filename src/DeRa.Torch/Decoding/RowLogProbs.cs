using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Decoding;

/// <summary>
/// The log-probabilities that rows ask for, of the mixture before penalties, bias, masks, temperature and filters.
/// </summary>
internal sealed class RowLogProbs
{
    private readonly record struct Entry(int Row, int? KnownToken, int Alternatives);

    private readonly List<Entry> _entries = [];
    private int _width;
    private bool _hasKnown;

    /// <summary>Collects what is asked for. Known tokens must be in the vocabulary, or their row marked as failed.</summary>
    public RowLogProbs(IReadOnlyList<LogitRow> rows, bool[] failed, int vocabularySize)
    {
        for (var row = 0; row < rows.Count; row++)
        {
            if (failed[row]) continue;
            if (rows[row].Sampling?.LogProbs is { } alternatives) Add(new Entry(row, null, Math.Min(alternatives, vocabularySize)));
            if (rows[row].Score is { } score) Add(new Entry(row, score.Token, Math.Min(score.Alternatives, vocabularySize)));
        }
    }

    /// <summary>
    /// Flat, for one copy to the host: [entries] log-probabilities; [entries] ranks where any token was known before; then, where
    /// alternatives are requested, [entries, width] of their log-probabilities and [entries, width] of their tokens. Empty where no
    /// row asks.
    /// </summary>
    /// <param name="mixed">float32 [rows, vocabulary].</param>
    /// <param name="tokens">int64 [rows]: the sampled tokens; null where none were.</param>
    public IEnumerable<Tensor> Compute(Tensor mixed, Tensor? tokens)
    {
        if (_entries.Count == 0) return [];
        var logProbs = TensorRows.Take(mixed, _entries.ConvertAll(entry => entry.Row)).log_softmax(1);
        var chosen = logProbs.gather(1, Chosen(tokens, mixed.device).unsqueeze(1)).squeeze(1);
        Tensor[] ranks = _hasKnown ? [logProbs.gt(chosen.unsqueeze(1)).sum(1).add_(Arithmetic.One, Arithmetic.One)] : [];
        if (_width == 0) return [chosen, .. ranks];
        var (values, ids) = logProbs.topk(_width, 1);
        return [chosen, .. ranks, values.reshape(-1), ids.reshape(-1)];
    }

    /// <summary>Adds what was computed to the results of its rows.</summary>
    /// <param name="results">One a row.</param>
    /// <param name="tokens">The sampled tokens, one a row.</param>
    /// <param name="values">The result of <see cref="Compute"/>, on the host.</param>
    public void AddTo(ReadoutResult[] results, ReadOnlySpan<double> tokens, ReadOnlySpan<double> values)
    {
        for (var i = 0; i < _entries.Count; i++)
        {
            var entry = _entries[i];
            var top = Top(values[((_hasKnown ? 2 : 1) * _entries.Count)..], i, entry.Alternatives);
            var token = new TokenLogProbs(entry.KnownToken ?? (int)tokens[entry.Row], (float)values[i], top)
            {
                Rank = entry.KnownToken is null ? null : (int)values[_entries.Count + i],
            };
            results[entry.Row] = entry.KnownToken is null
                ? results[entry.Row] with { LogProbs = token }
                : results[entry.Row] with { Score = token };
        }
    }

    private void Add(Entry entry)
    {
        _entries.Add(entry);
        _hasKnown |= entry.KnownToken is not null;
        _width = Math.Max(_width, entry.Alternatives);
    }

    private Tensor Chosen(Tensor? tokens, Device device)
    {
        var known = TensorRows.Index(_entries.ConvertAll(entry => entry.KnownToken ?? 0), device);
        if (tokens is null || _entries.TrueForAll(entry => entry.KnownToken is not null)) return known;
        var sampled = tokens.index_select(0, TensorRows.Index(_entries.ConvertAll(entry => entry.Row), device));
        var isKnown = DeviceTensor.Upload(tensor(_entries.ConvertAll(entry => entry.KnownToken is not null).ToArray()), device);
        return where(isKnown, known, sampled);
    }

    /// <summary>The best <paramref name="count"/> of an entry; ties by id, which the device does not guarantee.</summary>
    private (int Token, float LogProb)[] Top(ReadOnlySpan<double> alternatives, int entry, int count)
    {
        if (count == 0) return [];
        var values = alternatives.Slice(entry * _width, _width);
        var ids = alternatives.Slice((_entries.Count + entry) * _width, _width);
        var all = new (int Token, float LogProb)[_width];
        for (var i = 0; i < all.Length; i++) all[i] = ((int)ids[i], (float)values[i]);
        return [.. all.OrderByDescending(item => item.LogProb).ThenBy(item => item.Token).Take(count)];
    }
}
