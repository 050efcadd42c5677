namespace DeRa.Engine.Branches;

/// <summary>
/// A branch's text as some of its models read it: a prompt, then the branch's decided tokens and guesses, and the cache blocks that hold
/// it. Normally there is one for all models. Engine thread only.
/// </summary>
internal sealed class BranchContext
{
    private int[] _tokens;

    /// <param name="prompt">Token ids; at least one.</param>
    public BranchContext(IReadOnlyList<int> prompt) => (_tokens, PromptTokens, Length) = ([.. prompt], prompt.Count, prompt.Count);

    private BranchContext(BranchContext other) =>
        (_tokens, PromptTokens, Length) = ((int[])other._tokens.Clone(), other.PromptTokens, other.Length);

    /// <summary>Tokens of its prompt.</summary>
    public int PromptTokens { get; }

    /// <summary>Tokens in all: prompt, decided ones, guesses.</summary>
    public int Length { get; private set; }

    /// <summary>All tokens. Those before <see cref="Length"/> never change while somebody holds this, but guesses do.</summary>
    public ReadOnlyMemory<int> Tokens => _tokens.AsMemory(0, Length);

    /// <summary>Position p lies in block Blocks[p / BlockTokens]; empty until admitted and after the end.</summary>
    public List<int> Blocks { get; } = [];

    /// <summary>
    /// The numbers of the names of its first blocks, each full of decided tokens; its own block may be another with that content.
    /// </summary>
    public List<long> BlockNumbers { get; } = [];

    /// <summary>Whether decided tokens have been dropped since its blocks were looked at.</summary>
    public bool IsTruncated { get; set; }

    public int this[int position] => _tokens[position];

    public void Append(int token)
    {
        if (Length == _tokens.Length) Array.Resize(ref _tokens, Length * 2);
        _tokens[Length++] = token;
    }

    /// <summary>Drops what stands at and after a position.</summary>
    public void Truncate(int length) => Length = Math.Min(Length, length);

    /// <summary>The same text without blocks.</summary>
    public BranchContext Copy() => new(this);
}
