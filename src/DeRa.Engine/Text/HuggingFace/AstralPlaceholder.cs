using System.Globalization;
using System.Text;

namespace DeRa.Engine.Text.HuggingFace;

/// <summary>
/// Stands one UTF-16 unit in for each character beyond U+FFFF. .NET's regular expressions see such a character as two
/// surrogates, Hugging Face's see it whole; its patterns ask only for its general category, which the placeholder shares.
/// </summary>
internal static class AstralPlaceholder
{
    private static readonly Dictionary<UnicodeCategory, char> Placeholders = ChooseAll();

    /// <summary>Whether a placeholder lies in the range: a pattern that names it could not tell it from itself.</summary>
    public static bool Any(char first, char last) =>
        Placeholders.Values.Any(placeholder => placeholder >= first && placeholder <= last);

    /// <summary>Replaces surrogate pairs and tells where each character began.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="offsets">For each unit of the result its place in the text; one more for the end.</param>
    public static string Replace(string text, out int[] offsets)
    {
        var replaced = new StringBuilder(text.Length);
        offsets = new int[text.Length + 1];
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            offsets[replaced.Length] = at;
            replaced.Append(rune.IsBmp ? (char)rune.Value : PlaceholderOf(rune));
            at += rune.Utf16SequenceLength;
        }
        offsets[replaced.Length] = at;
        return replaced.ToString();
    }

    private static char PlaceholderOf(Rune rune) => Placeholders[CharUnicodeInfo.GetUnicodeCategory(rune.Value)];

    /// <summary>
    /// For each category that occurs beyond U+FFFF its first character from U+0700 on: past the scripts and signs that
    /// patterns name.
    /// </summary>
    private static Dictionary<UnicodeCategory, char> ChooseAll()
    {
        var needed = Enumerable.Range(0x10000, 0x100000).Select(CharUnicodeInfo.GetUnicodeCategory).ToHashSet();
        var chosen = new Dictionary<UnicodeCategory, char>();
        for (var c = '\u0700'; c < '\uFFFF'; c++)
            if (needed.Contains(CharUnicodeInfo.GetUnicodeCategory(c))) chosen.TryAdd(CharUnicodeInfo.GetUnicodeCategory(c), c);
        return chosen;
    }
}
