using System.Text.RegularExpressions;

namespace DeRa.Text.Tokenizers.SentencePiece;

/// <summary>
/// SentencePiece's treatment of spaces, for models without a character map.
/// </summary>
/// <param name="AddsDummyPrefix">Puts a space before the text.</param>
/// <param name="RemovesExtraWhitespace">Drops spaces at the ends and makes one of each run.</param>
/// <param name="PrefixesEveryStretch">
/// Puts that space also before text that follows a special token (Hugging Face's <c>legacy</c>, the default).
/// </param>
internal sealed partial record SentencePieceNormalization(
    bool AddsDummyPrefix, bool RemovesExtraWhitespace, bool PrefixesEveryStretch)
{
    /// <summary>How pieces write a space.</summary>
    public const char Space = '\u2581';

    /// <summary>Normalizes a stretch of text between special tokens.</summary>
    /// <param name="text">The stretch.</param>
    /// <param name="atStart">Whether it begins the whole text.</param>
    public string Apply(string text, bool atStart)
    {
        if (RemovesExtraWhitespace) text = SpaceRuns().Replace(text.Trim(' '), " ");
        if (text.Length == 0) return text;
        if (AddsDummyPrefix && (atStart || PrefixesEveryStretch)) text = " " + text;
        text = text.Replace(' ', Space);
        return RemovesExtraWhitespace ? text.TrimEnd(Space) : text;
    }

    [GeneratedRegex(" {2,}")]
    private static partial Regex SpaceRuns();
}
