namespace DeRa.Engine.Branches;

/// <summary>
/// Guesses the tokens that followed when the last three tokens stood in the text before (prompt lookup). Costs no pass, is right where
/// text repeats itself and wrong elsewhere: it keeps count and falls silent for a while where it is mostly wrong. Engine thread only.
/// </summary>
internal sealed class NGramGuesses
{
    private const int TokenBits = 21;

    /// <summary>The share of right guesses that is assumed at first, and the one below which it falls silent.</summary>
    private const double FirstShare = 0.6, LeastShare = 0.45;

    /// <summary>The share of right guesses from which on two, and all that may stand, are made at once.</summary>
    private const double ShareForTwo = 0.65, ShareForAll = 0.8;

    /// <summary>After so many tokens of silence it tries again.</summary>
    private const int Silence = 32;

    private readonly Dictionary<long, int> _next = [];
    private int _indexed = 2;
    private double _right = FirstShare;
    private int _silentUntil;

    /// <summary>The output index from which on standing guesses are from here; int.MaxValue where none is.</summary>
    public int First { get; private set; } = int.MaxValue;

    /// <summary>Adds guesses behind those that stand, up to a number of guesses in all.</summary>
    /// <param name="branch">The branch.</param>
    /// <param name="most">Guesses in all.</param>
    public void Extend(Branch branch, int most)
    {
        if (branch.GuessedTokens == 0) First = int.MaxValue;
        most = Math.Min(most, branch.GuessedTokens + (_right >= ShareForAll ? most : _right >= ShareForTwo ? 2 : 1));
        if (branch.GuessedTokens >= most || branch.DecidedTokens < _silentUntil) return;
        var context = branch.Main;
        Index(context.Tokens.Span[..(context.PromptTokens + branch.DecidedTokens)]);
        if (context.Length < 3 || !_next.TryGetValue(Key(context.Tokens.Span[^3..]), out var from)) return;
        var decided = context.PromptTokens + branch.DecidedTokens;
        if (First == int.MaxValue) First = branch.DecidedTokens + branch.GuessedTokens;
        for (; branch.GuessedTokens < most && from < decided && !branch.Request.StopTokens.Contains(context[from]); from++)
            branch.Guess(branch.DecidedTokens + branch.GuessedTokens, context[from]);
    }

    /// <summary>A guess has been found right or wrong: by the token that was decided, or by a model that knows more.</summary>
    /// <param name="index">Its output index.</param>
    /// <param name="isRight">Whether it was right.</param>
    public void Checked(int index, bool isRight)
    {
        if (index < First) return;
        _right = 0.9 * _right + (isRight ? 0.1 : 0);
        if (!isRight) First = int.MaxValue;
        if (_right >= LeastShare) return;
        _silentUntil = index + Silence;
        _right = FirstShare;
    }

    /// <summary>Each three tokens, with where the token after them stands; of several places the last.</summary>
    private void Index(ReadOnlySpan<int> decided)
    {
        for (_indexed = Math.Max(_indexed, 3); _indexed < decided.Length; _indexed++)
            _next[Key(decided.Slice(_indexed - 3, 3))] = _indexed;
    }

    private static long Key(ReadOnlySpan<int> tokens) => ((long)tokens[0] << 2 * TokenBits) ^ ((long)tokens[1] << TokenBits) ^ tokens[2];
}
