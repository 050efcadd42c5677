using System.Text;

namespace DeRa.Lab.Data;

/// <summary>
/// Undoes mojibake: UTF-8 that was read as Windows-1252 (<c>â€™</c> for an apostrophe), once or twice over. Only sequences that stand for
/// a character of Windows-1252 are taken for it: others may be text, such as a capital with a quotation mark after it.
/// </summary>
internal static class Mojibake
{
    private const int Rounds = 2;

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
        if (first is >= 0xC2 and <= 0xDF && Of(first & 0x1F, second) is var two && s_bytes.ContainsKey(two)) return (two, 2);
        if (first is >= 0xE0 and <= 0xEF && IsContinuation(third)
            && Of(((first & 0xF) << 6) | (second & 0x3F), third) is var three && s_bytes.ContainsKey(three))
            return (three, 3);
        // Windows-1252 has no character for the last byte of a closing quotation mark, so some programs left it out.
        if (text[at] == 'â' && text[at + 1] == '€') return ('”', 2);
        // Lower case made â and ã of Â and Ã.
        var isLowered = text[at] is 'â' or 'ã' && text[at + 1] is >= '\u00A0' and <= '\u00BF';
        return isLowered ? (Of((first - 0x20) & 0x1F, second), 2) : (text[at], 1);
    }

    private static char Of(int high, byte last) => (char)((high << 6) | (last & 0x3F));

    private static bool IsContinuation(byte value) => value is >= 0x80 and <= 0xBF;

    /// <summary>The byte that a character stands for; 0 where it is none beyond ASCII.</summary>
    private static byte Byte(string text, int at) => at < text.Length ? s_bytes.GetValueOrDefault(text[at]) : (byte)0;

    private static Dictionary<char, byte> Windows1252()
    {
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(1252)!;
        return Enumerable.Range(0x80, 0x80).ToDictionary(value => encoding.GetString([(byte)value])[0], value => (byte)value);
    }
}
