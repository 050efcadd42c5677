using System.Runtime.InteropServices;
using DeRa.Text.Tokenizers.Bpe;

namespace DeRa.Lab.Tokenizers;

/// <summary>
/// Merges the most frequent pair of neighbouring tokens, again and again. Keeps the count of every pair and the pieces it
/// occurs in, so that a merge costs only the pieces that it changes.
/// </summary>
internal sealed class MergeLearner
{
    private readonly List<string> _vocabulary;
    private readonly Dictionary<string, int> _ids;
    private readonly List<(string Left, string Right)> _merges = [];
    private readonly List<Piece> _pieces = [];
    private readonly Dictionary<Pair, Occurrences> _pairs = [];
    private readonly PriorityQueue<Pair, (long Count, Pair Pair)> _queue = new(Comparer<(long Count, Pair Pair)>.Create(ByCountThenIds));

    /// <param name="specialTokens">Take the first ids; the bytes follow in the order of their characters.</param>
    /// <param name="pieces">The text's pieces in GPT-2's representation of bytes, with how often each occurs.</param>
    public MergeLearner(IReadOnlyList<string> specialTokens, IReadOnlyDictionary<string, long> pieces)
    {
        _vocabulary = [.. specialTokens, .. ByteLevelAlphabet.All.Order().Select(character => character.ToString())];
        _ids = _vocabulary.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal);
        foreach (var (text, count) in pieces)
        {
            _pieces.Add(new Piece([.. text.Select(character => _ids[character.ToString()])], count));
            Count(_pieces[^1], 1);
            foreach (var pair in PairsOf(_pieces[^1].Tokens)) _pairs[pair].Add(_pieces.Count - 1);
        }
        foreach (var (pair, occurrences) in _pairs) _queue.Enqueue(pair, (occurrences.Count, pair));
    }

    private readonly record struct Pair(int Left, int Right);

    private readonly record struct Piece(List<int> Tokens, long Count);

    private sealed class Occurrences
    {
        public long Count { get; set; }

        /// <summary>Indices of all pieces that hold the pair, and of some that no longer do.</summary>
        public List<int> Pieces { get; } = [];

        public void Add(int piece)
        {
            if (Pieces.Count == 0 || Pieces[^1] != piece) Pieces.Add(piece);
        }
    }

    /// <summary>All tokens by id.</summary>
    public IReadOnlyList<string> Vocabulary => _vocabulary;

    /// <summary>The merges so far.</summary>
    public IReadOnlyList<(string Left, string Right)> Merges => _merges;

    /// <summary>Merges the most frequent pair; false where every piece is one token.</summary>
    public bool MergeNext()
    {
        if (!TryTakeMostFrequent(out var pair)) return false;
        var (left, right) = (_vocabulary[pair.Left], _vocabulary[pair.Right]);
        _merges.Add((left, right));
        Merge(pair, IdOf(left + right));
        return true;
    }

    private static int ByCountThenIds((long Count, Pair Pair) one, (long Count, Pair Pair) other)
    {
        if (one.Count != other.Count) return other.Count.CompareTo(one.Count);
        var left = one.Pair.Left.CompareTo(other.Pair.Left);
        return left != 0 ? left : one.Pair.Right.CompareTo(other.Pair.Right);
    }

    /// <summary>The queue holds every pair with at least its current count: an entry with a higher count is requeued.</summary>
    private bool TryTakeMostFrequent(out Pair pair)
    {
        while (_queue.TryDequeue(out pair, out var queued))
        {
            if (!_pairs.TryGetValue(pair, out var occurrences) || occurrences.Count == 0) continue;
            if (occurrences.Count == queued.Count) return true;
            if (occurrences.Count < queued.Count) _queue.Enqueue(pair, (occurrences.Count, pair));
        }
        return false;
    }

    /// <summary>A token that is there already keeps its id, as in Hugging Face's trainer.</summary>
    private int IdOf(string token)
    {
        if (_ids.TryGetValue(token, out var id)) return id;
        _vocabulary.Add(token);
        return _ids[token] = _vocabulary.Count - 1;
    }

    private void Merge(Pair pair, int merged)
    {
        var grown = new HashSet<Pair>();
        foreach (var index in _pairs[pair].Pieces)
        {
            var piece = _pieces[index];
            if (!PairsOf(piece.Tokens).Contains(pair)) continue;
            Count(piece, -1);
            Replace(piece.Tokens, pair, merged);
            Count(piece, 1);
            foreach (var neighbours in PairsOf(piece.Tokens).Where(other => other.Left == merged || other.Right == merged))
            {
                _pairs[neighbours].Add(index);
                grown.Add(neighbours);
            }
        }
        _pairs.Remove(pair);
        foreach (var neighbours in grown) _queue.Enqueue(neighbours, (_pairs[neighbours].Count, neighbours));
    }

    private static IEnumerable<Pair> PairsOf(List<int> tokens)
    {
        for (var i = 0; i + 1 < tokens.Count; i++) yield return new Pair(tokens[i], tokens[i + 1]);
    }

    private static void Replace(List<int> tokens, Pair pair, int merged)
    {
        var kept = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            var merges = i + 1 < tokens.Count && tokens[i] == pair.Left && tokens[i + 1] == pair.Right;
            tokens[kept++] = merges ? merged : tokens[i];
            if (merges) i++;
        }
        tokens.RemoveRange(kept, tokens.Count - kept);
    }

    /// <summary>Adds a piece's pairs to the counts, or with the sign -1 takes them out.</summary>
    private void Count(Piece piece, int sign)
    {
        foreach (var pair in PairsOf(piece.Tokens))
        {
            ref var occurrences = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, pair, out _);
            occurrences ??= new Occurrences();
            occurrences.Count += sign * piece.Count;
        }
    }
}
