using System.Text;

namespace DeRa.Lab.Data;

/// <summary>
/// Undoes mojibake: UTF-8 that was read as Windows-1252 (<c>â€™</c> for an apostrophe), once or twice over. Only what stands for
/// Latin letters and punctuation is taken for it: other sequences may be text.
/// </summary>
internal static class Mojibake
{
    private const int Rounds = 2;
    private const byte Latin1Low = 0xC2, Latin1High = 0xC3, Punctuation = 0xE2;

    private static readonly Dictionary<char, byte> s_bytes = Windows1252();

    /// <summary>The text as it was meant.</summary>
    public static string Undo(string text)
    {
        for (var round = 0; round < Rounds && text.AsSpan().ContainsAny("ÂÃâã"); round++) text = UndoOnce(text);
        return text;
    }

    private static string UndoOnce(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length;)
        {
            var (meant, length) = At(text, i);
            result.Append(meant);
            i += length;
        }
        return result.ToString();
    }

    /// <summary>The character meant at a place, and how many characters stand for it there.</summary>
    private static (char Meant, int Length) At(string text, int at)
    {
        var (first, second, third) = (Byte(text, at), Byte(text, at + 1), Byte(text, at + 2));
        if (!IsContinuation(second)) return (text[at], 1);
        if (first is Latin1Low or Latin1High) return (Of(first, second), 2);
        if (first == Punctuation && IsContinuation(third)) return ((char)(((first & 0xF) << 12) | ((second & 0x3F) << 6) | (third & 0x3F)), 3);
        // Windows-1252 has no character for the last byte of a closing quotation mark, so some programs left it out.
        if (first == Punctuation && second == 0x80) return ('”', 2);
        // Lower case made â and ã of Â and Ã.
        if ((first == Latin1Low + 0x20 || first == Latin1High + 0x20) && text[at + 1] is >= '\u00A0' and <= '\u00BF')
            return (Of((byte)(first - 0x20), second), 2);
        return (text[at], 1);
    }

    private static char Of(byte first, byte second) => (char)(((first & 0x1F) << 6) | (second & 0x3F));

    private static bool IsContinuation(byte value) => value is >= 0x80 and <= 0xBF;

    /// <summary>The byte that a character stands for; 0 where it is none beyond ASCII.</summary>
    private static byte Byte(string text, int at) => at < text.Length ? s_bytes.GetValueOrDefault(text[at]) : (byte)0;

    private static Dictionary<char, byte> Windows1252()
    {
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        return Enumerable.Range(0x80, 0x80).ToDictionary(value => encoding.GetString([(byte)value])[0], value => (byte)value);
    }
}
