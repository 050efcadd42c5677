using System.Text;

namespace DeRa.Text.Tokenizers;

/// <summary>
/// A tokenizer as a pipeline: added tokens are split off, the text between them is normalized, split into pieces and merged,
/// and special tokens are put around the whole.
/// </summary>
internal sealed class TextTokenizer : ITokenizer
{
    private readonly TokenTable _tokens;
    private readonly TokenRendering _rendering;
    private readonly AddedTokenMatching _added;
    private readonly Func<TextPiece, string> _normalize;
    private readonly Func<TextPiece, IEnumerable<TextPiece>> _split;
    private readonly Action<string, List<int>> _encodePiece;
    private readonly SurroundingTokens _surrounding;

    public TextTokenizer(
        TokenTable tokens,
        TokenRendering rendering,
        AddedTokenMatching added,
        Func<TextPiece, string> normalize,
        Func<TextPiece, IEnumerable<TextPiece>> split,
        Action<string, List<int>> encodePiece,
        SurroundingTokens surrounding) =>
        (_tokens, _rendering, _added, _normalize, _split, _encodePiece, _surrounding) =
        (tokens, rendering, added, normalize, split, encodePiece, surrounding);

    public int VocabularySize => _tokens.Size;

    public bool NormalizesSpecialTokens => _added.HasNormalizedSpecial;

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens = true, bool parseSpecialTokens = false) =>
        Encode(text, addSpecialTokens, parseSpecialTokens ? TextBoundaries.None : null);

    public IReadOnlyList<int> Encode(string text, bool addSpecialTokens, IReadOnlyList<int> boundaries) =>
        Encode(text, addSpecialTokens, TextBoundaries.Read(boundaries, text.Length));

    public ReadOnlyMemory<byte> GetBytes(int token) => _tokens.IsSpecial(token) ? default : _tokens.Bytes(token);

    public string? GetToken(int token) => _tokens.TextOf(token);

    public bool IsSpecial(int token) => _tokens.IsSpecial(token);

    public StreamingDecoder CreateDecoder(bool continuesText, bool skipSpecialTokens = true) =>
        new TextStreamingDecoder(_tokens, _rendering, continuesText, skipSpecialTokens);

    /// <summary>Encodes; boundaries say where special tokens are not read, null that they are read nowhere.</summary>
    private List<int> Encode(string text, bool addSpecialTokens, TextBoundaries? boundaries)
    {
        var ids = new List<int>();
        if (addSpecialTokens) ids.AddRange(_surrounding.Before);
        AddText(WellFormed(text), boundaries, ids);
        if (addSpecialTokens) ids.AddRange(_surrounding.After);
        return ids;
    }

    private void AddText(string text, TextBoundaries? boundaries, List<int> ids)
    {
        var searched = new SearchTime();
        foreach (var stretch in _added.InText(withSpecial: boundaries is not null).Split(text, boundaries ?? TextBoundaries.None))
        {
            if (stretch.Token is { } token)
                ids.Add(token.Id);
            else
                AddNormalized(new TextPiece(text[stretch.Start..stretch.End], stretch.Start == 0, searched),
                    boundaries?.Within(stretch.Start, stretch.End), ids);
        }
    }

    private void AddNormalized(TextPiece piece, TextBoundaries? boundaries, List<int> ids)
    {
        var text = _normalize(piece);
        if (_added.HasNormalizedSpecial)
            boundaries = boundaries?.Follow(piece.Text, text, changed => _normalize(piece with { Text = changed }));
        foreach (var stretch in _added.InNormalizedText(withSpecial: boundaries is not null).Split(text, boundaries ?? TextBoundaries.None))
        {
            if (stretch.Token is { } token)
                ids.Add(token.Id);
            else
                AddPieces(new TextPiece(text[stretch.Start..stretch.End], piece.AtStart && stretch.Start == 0, piece.Searched), ids);
        }
    }

    private void AddPieces(TextPiece normalized, List<int> ids)
    {
        foreach (var part in _split(normalized)) _encodePiece(part.Text, ids);
    }

    /// <summary>Replaces lone surrogates, which have no UTF-8.</summary>
    private static string WellFormed(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF')) return text;
        var result = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) result.Append(rune.ToString());
        return result.ToString();
    }
}
