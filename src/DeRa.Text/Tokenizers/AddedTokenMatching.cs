namespace DeRa.Text.Tokenizers;

/// <summary>
/// Finds added tokens: those that stand in the text as it is, then those that stand in normalized text; each with the
/// special ones or, for what a user wrote, without.
/// </summary>
internal sealed class AddedTokenMatching
{
    private readonly AddedTokenSplitter _all;
    private readonly AddedTokenSplitter _ordinary;
    private readonly AddedTokenSplitter _allNormalized;
    private readonly AddedTokenSplitter _ordinaryNormalized;

    /// <param name="tokens">The added tokens.</param>
    /// <param name="normalize">The tokenizer's normalizer.</param>
    public AddedTokenMatching(IEnumerable<AddedToken> tokens, Func<string, string> normalize)
    {
        var plain = tokens.Where(token => !token.Normalized).Select(token => (token.Content, token)).ToList();
        var normalized = tokens.Where(token => token.Normalized).Select(token => (normalize(token.Content), token)).ToList();
        _all = new AddedTokenSplitter(plain);
        _allNormalized = new AddedTokenSplitter(normalized);
        _ordinary = new AddedTokenSplitter(plain.Where(pair => !pair.token.Special));
        _ordinaryNormalized = new AddedTokenSplitter(normalized.Where(pair => !pair.token.Special));
        HasNormalizedSpecial = normalized.Any(pair => pair.token.Special);
    }

    /// <summary>Whether a special token is looked for in normalized text.</summary>
    public bool HasNormalizedSpecial { get; }

    public AddedTokenSplitter InText(bool withSpecial) => withSpecial ? _all : _ordinary;

    public AddedTokenSplitter InNormalizedText(bool withSpecial) => withSpecial ? _allNormalized : _ordinaryNormalized;
}
