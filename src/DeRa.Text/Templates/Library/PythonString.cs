using System.Text;
using DeRa.Text.Templates.Values;

namespace DeRa.Text.Templates.Library;

/// <summary>What Python's string methods do that C#'s do not do alike.</summary>
internal static class PythonString
{
    public static bool IsSpace(char character) => char.IsWhiteSpace(character) || character is >= '\u001C' and <= '\u001F';

    /// <summary>Takes white space, or the characters given, from the ends.</summary>
    public static string Strip(string text, string? characters, bool left, bool right)
    {
        var (start, end) = (0, text.Length);
        var listed = characters?.ToHashSet();
        while (left && start < end && Goes(text[start])) start++;
        while (right && end > start && Goes(text[end - 1])) end--;
        return text[start..end];

        bool Goes(char character) => listed?.Contains(character) ?? IsSpace(character);
    }

    public static string Capitalize(string text) =>
        text.Length == 0 ? text : UpperFirst(text) + text[FirstLength(text)..].ToLowerInvariant();

    /// <summary>Every word, that is a run of letters that have capitals, with a capital first.</summary>
    public static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        var inWord = false;
        foreach (var rune in text.EnumerateRunes())
        {
            result.Append((inWord ? Rune.ToLowerInvariant(rune) : Rune.ToUpperInvariant(rune)).ToString());
            inWord = Rune.IsUpper(rune) || Rune.IsLower(rune);
        }
        return result.ToString();
    }

    /// <summary>Parts between white space, with an optional limit to the number of splits.</summary>
    public static IEnumerable<string> SplitAtSpace(string text, long splits)
    {
        var at = 0;
        while (true)
        {
            while (at < text.Length && IsSpace(text[at])) at++;
            if (at == text.Length) yield break;
            var end = at;
            while (end < text.Length && !IsSpace(text[end])) end++;
            if (splits-- == 0) end = text.Length;
            yield return text[at..end];
            at = end;
        }
    }

    /// <summary>The lines, at the ends of lines that Python knows.</summary>
    public static IEnumerable<string> Lines(string text, bool keepEnds = false)
    {
        var start = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (!IsLineEnd(text[i])) continue;
            var end = i;
            if (text[i] == '\r' && i + 1 < text.Length && text[i + 1] == '\n') i++;
            yield return text[start..(keepEnds ? i + 1 : end)];
            start = i + 1;
        }
        if (start < text.Length) yield return text[start..];
    }

    /// <summary>Replaces up to <paramref name="count"/> times (less than 0 = everywhere).</summary>
    public static string Replace(string text, string old, string with, long count, TemplateRun run)
    {
        run.CountSearch(text, old);
        var places = Places(text, old, count);
        run.Reserve(text.Length + (long)places.Count * (with.Length - old.Length));
        run.Count(places.Count);
        var result = new StringBuilder();
        var done = 0;
        foreach (var place in places)
        {
            result.Append(text, done, place - done).Append(with);
            done = place + old.Length;
        }
        return result.Append(text, done, text.Length - done).ToString();
    }

    /// <summary>Where a part occurs without overlap; an empty one at every place.</summary>
    public static List<int> Places(string text, string part, long count)
    {
        var places = new List<int>();
        for (var at = 0; at <= text.Length && places.Count != count; at += Math.Max(1, part.Length))
        {
            at = text.IndexOf(part, at, StringComparison.Ordinal);
            if (at < 0) break;
            places.Add(at);
        }
        return places;
    }

    public static bool IsUpper(string text) => text.Any(char.IsUpper) && !text.Any(char.IsLower);

    public static bool IsLower(string text) => text.Any(char.IsLower) && !text.Any(char.IsUpper);

    private static bool IsLineEnd(char character) => character is '\n' or '\r' or '\v' or '\f'
        or '\u001C' or '\u001D' or '\u001E' or '\u0085' or '\u2028' or '\u2029';

    private static string UpperFirst(string text) => text[..FirstLength(text)].ToUpperInvariant();

    private static int FirstLength(string text) => char.IsSurrogatePair(text + " ", 0) ? 2 : 1;
}
