using System.Globalization;
using System.Text;

namespace DeRa.Hosting.Telemetry;

/// <summary>
/// Text as a log line may hold it. What ends a line, moves a terminal's cursor or turns the direction of writing is written as an
/// escape (<c>\u000A</c>): nothing that a client sends can pass for a line of its own.
/// </summary>
public static class PrintableText
{
    /// <summary>The text with escapes where they are needed.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~')) return text;
        var printable = new StringBuilder(text.Length);
        foreach (var character in text)
            if (MustEscape(character)) printable.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:X4}");
            else printable.Append(character);
        return printable.ToString();
    }

    /// <summary>The same, and no longer than so many characters of the text; dots stand for the rest.</summary>
    public static string Of(string text, int maxLength) => text.Length <= maxLength ? Of(text) : Of(text[..maxLength]) + "...";

    private static bool MustEscape(char character) => char.GetUnicodeCategory(character) is
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
