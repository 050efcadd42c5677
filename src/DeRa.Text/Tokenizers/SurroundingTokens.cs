namespace DeRa.Text.Tokenizers;

/// <summary>The special tokens that a tokenizer puts around a text.</summary>
internal sealed record SurroundingTokens(IReadOnlyList<int> Before, IReadOnlyList<int> After)
{
    public static SurroundingTokens None { get; } = new([], []);

    /// <summary>Makes a text begin with the token, or not.</summary>
    public SurroundingTokens WithBegin(int token, bool present) =>
        (Before.Count > 0 && Before[0] == token) == present ? this
        : this with { Before = present ? [token, .. Before] : [.. Before.Skip(1)] };

    /// <summary>Makes a text end with the token, or not.</summary>
    public SurroundingTokens WithEnd(int token, bool present) =>
        (After.Count > 0 && After[^1] == token) == present ? this
        : this with { After = present ? [.. After, token] : [.. After.SkipLast(1)] };
}
