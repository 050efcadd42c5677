using System.Buffers;
using System.Globalization;

namespace DeRa.Text.Tokenizers;

/// <summary>
/// Finds added tokens in a text: the leftmost, of those that begin together the longest. Source:
/// <c>AddedVocabulary::find_matches</c> of huggingface/tokenizers.
/// </summary>
internal sealed class AddedTokenSplitter
{
    private readonly SearchValues<string> _texts;
    private readonly ILookup<char, (string Text, AddedToken Token)> _byFirstCharacter;

    /// <param name="tokens">The tokens to find, each with the form in which it stands in the text.</param>
    public AddedTokenSplitter(IEnumerable<(string Text, AddedToken Token)> tokens)
    {
        var all = tokens.Where(token => token.Text.Length > 0).OrderByDescending(token => token.Text.Length).ToList();
        _texts = SearchValues.Create([.. all.Select(token => token.Text)], StringComparison.Ordinal);
        _byFirstCharacter = all.ToLookup(token => token.Text[0]);
    }

    /// <summary>A stretch of the text: an added token, or the text between two of them.</summary>
    public readonly record struct Stretch(int Start, int End, AddedToken? Token);

    /// <summary>Splits a text; stretches of text are never empty.</summary>
    public List<Stretch> Split(string text) => Split(text, TextBoundaries.None);

    /// <inheritdoc cref="Split(string)"/>
    /// <param name="text">The text.</param>
    /// <param name="boundaries">Across which no special token is read.</param>
    public List<Stretch> Split(string text, TextBoundaries boundaries)
    {
        var stretches = new List<Stretch>();
        var (done, searchFrom) = (0, 0);
        while (FindNext(text, searchFrom, boundaries) is { } match)
        {
            searchFrom = match.End;
            if (match.Token!.SingleWord && TouchesWord(text, match)) continue;
            var (start, end) = (match.Start, match.End);
            if (match.Token.LeftStrip) start = done + text.AsSpan(done, start - done).TrimEnd().Length;
            if (match.Token.RightStrip) end = text.Length - text.AsSpan(end).TrimStart().Length;
            if (start > done) stretches.Add(new Stretch(done, start, null));
            stretches.Add(new Stretch(start, end, match.Token));
            done = searchFrom = end;
        }
        if (done < text.Length) stretches.Add(new Stretch(done, text.Length, null));
        return stretches;
    }

    private Stretch? FindNext(string text, int from, TextBoundaries boundaries)
    {
        for (int start; text.AsSpan(from).IndexOfAny(_texts) is >= 0 and var at; from = start + 1)
        {
            start = from + at;
            foreach (var (written, token) in _byFirstCharacter[text[start]])
                if (text.AsSpan(start).StartsWith(written) && !(token.Special && IsSplit(written, token, start, boundaries)))
                    return new Stretch(start, start + written.Length, token);
        }
        return null;
    }

    /// <summary>A normalizer may put a space before a token's own text; a boundary between the two does not split the token.</summary>
    private static bool IsSplit(string written, AddedToken token, int start, TextBoundaries boundaries)
    {
        var end = start + written.Length;
        return boundaries.Split(written.EndsWith(token.Content, StringComparison.Ordinal) ? end - token.Content.Length : start, end);
    }

    private static bool TouchesWord(string text, Stretch match) =>
        (match.Start > 0 && IsWordCharacter(text, char.IsLowSurrogate(text[match.Start - 1]) ? match.Start - 2 : match.Start - 1))
        || (match.End < text.Length && IsWordCharacter(text, match.End));

    /// <summary>
    /// \w as Rust's regex crate has it: alphabetic (letters in circles and squares too), marks, decimal digits, connectors and
    /// joiners.
    /// </summary>
    private static bool IsWordCharacter(string text, int index) => char.GetUnicodeCategory(text, index) is
        UnicodeCategory.UppercaseLetter or UnicodeCategory.LowercaseLetter or UnicodeCategory.TitlecaseLetter
        or UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter or UnicodeCategory.LetterNumber
        or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark
        or UnicodeCategory.DecimalDigitNumber or UnicodeCategory.ConnectorPunctuation
        || char.ConvertToUtf32(text, index) is 0x200C or 0x200D or (>= 0x24B6 and <= 0x24E9) or (>= 0x1F130 and <= 0x1F149)
            or (>= 0x1F150 and <= 0x1F169) or (>= 0x1F170 and <= 0x1F189);
}
