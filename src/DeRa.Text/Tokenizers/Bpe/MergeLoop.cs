namespace DeRa.Text.Tokenizers.Bpe;

/// <summary>
/// Merges a list of tokens by rank, the leftmost first among equals: byte-pair encoding's inner loop, in
/// O(n log n) by a heap of candidate merges over a linked list.
/// </summary>
/// <remarks>
/// Ours, because Microsoft.ML.Tokenizers 2.0.1 has none that fits: its BpeTokenizer has no byte fallback and takes time
/// quadratic in a piece's length (it removes merged symbols one by one), and its SentencePieceTokenizer merges the
/// rightmost of equal candidates first, where SentencePiece merges the leftmost.
/// </remarks>
internal ref struct MergeLoop
{
    private const int None = -1;

    private readonly MergeTable _merges;
    private readonly Span<int> _tokens;
    private readonly int[] _previous;
    private readonly int[] _next;
    private readonly PriorityQueue<(int Left, int LeftToken, int RightToken), long> _candidates;

    private MergeLoop(MergeTable merges, Span<int> tokens)
    {
        _merges = merges;
        _tokens = tokens;
        _previous = new int[tokens.Length];
        _next = new int[tokens.Length];
        _candidates = new PriorityQueue<(int, int, int), long>(tokens.Length);
    }

    /// <summary>Merges in place.</summary>
    /// <param name="merges">What merges.</param>
    /// <param name="tokens">Token ids; afterwards the first ones of it are the result.</param>
    /// <param name="candidates">How many candidate merges it looked at: its work.</param>
    /// <returns>How many tokens are left.</returns>
    public static int Run(MergeTable merges, Span<int> tokens, out int candidates)
    {
        var loop = new MergeLoop(merges, tokens);
        loop.LinkAll();
        for (candidates = 0; loop._candidates.TryDequeue(out var candidate, out _); candidates++) loop.Apply(candidate);
        return loop.Compact();
    }

    private readonly void LinkAll()
    {
        for (var i = 0; i < _tokens.Length; i++)
        {
            _previous[i] = i - 1;
            _next[i] = i + 1 < _tokens.Length ? i + 1 : None;
        }
        for (var i = 0; i + 1 < _tokens.Length; i++) Propose(i);
    }

    private readonly void Propose(int left)
    {
        if (left == None || _next[left] == None) return;
        var (leftToken, rightToken) = (_tokens[left], _tokens[_next[left]]);
        if (_merges.TryGet(leftToken, rightToken, out var merge))
            _candidates.Enqueue((left, leftToken, rightToken), ((long)merge.Rank << 32) | (uint)left);
    }

    private readonly void Apply((int Left, int LeftToken, int RightToken) candidate)
    {
        var left = candidate.Left;
        var right = _next[left];
        // A candidate is stale where an earlier merge took one of its sides; a side taken away has the token None.
        if (right == None || _tokens[left] != candidate.LeftToken || _tokens[right] != candidate.RightToken) return;
        _merges.TryGet(candidate.LeftToken, candidate.RightToken, out var merge);
        _tokens[left] = merge.Merged;
        _tokens[right] = None;
        _next[left] = _next[right];
        if (_next[left] != None) _previous[_next[left]] = left;
        Propose(_previous[left]);
        Propose(left);
    }

    private readonly int Compact()
    {
        var count = 0;
        for (var i = 0; i != None && i < _tokens.Length; i = _next[i]) _tokens[count++] = _tokens[i];
        return count;
    }
}
