using System.Globalization;
using System.Text;

namespace DeRa.Text.Tokenizers.HuggingFace;

/// <summary>
/// Stands one UTF-16 unit in for each character beyond U+FFFF. .NET's regular expressions see such a character as two
/// surrogates, Hugging Face's see it whole. All that a pattern can ask of it is its general category and whether it lies in
/// a range that the pattern names; each answer to both has a lone surrogate of its own, which no well-formed text holds.
/// </summary>
internal sealed class AstralPlaceholders
{
    private const int First = 0x10000;
    private const int FirstPlaceholder = 0xD800;
    private const int Placeholders = 0x800;

    /// <summary>A little more than there are general categories.</summary>
    private const int IntervalSize = 32;

    /// <summary>Where each stretch of characters begins that every named range holds whole or not at all.</summary>
    private readonly int[] _intervals;

    /// <param name="named">First and last characters of the ranges that the pattern names; those up to U+FFFF do not count.</param>
    public AstralPlaceholders(IEnumerable<(int First, int Last)> named) =>
        _intervals = [.. named.SelectMany(range => new[] { range.First, range.Last + 1 })
            .Where(border => border is > First and <= 0x10FFFF).Append(First).Distinct().Order()];

    /// <summary>Whether the pattern names more ranges than there are placeholders for.</summary>
    public bool AreTooMany => _intervals.Length > Placeholders / IntervalSize;

    /// <summary>The placeholders of the named range from <paramref name="first"/> to <paramref name="last"/>, both beyond U+FFFF.</summary>
    public (char First, char Last) OfRange(int first, int last) =>
        (Of(IntervalOf(first), 0), Of(IntervalOf(last), IntervalSize - 1));

    /// <summary>The placeholders of all characters of a category.</summary>
    public IEnumerable<char> OfCategory(UnicodeCategory category) => _intervals.Select((_, interval) => Of(interval, (int)category));

    /// <summary>Replaces surrogate pairs and records where each character began.</summary>
    /// <param name="text">Well-formed UTF-16.</param>
    /// <param name="offsets">For each unit of the result its place in the text; one more for the end.</param>
    public string Replace(string text, out int[] offsets)
    {
        var replaced = new StringBuilder(text.Length);
        offsets = new int[text.Length + 1];
        var at = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            offsets[replaced.Length] = at;
            replaced.Append(
                rune.IsBmp ? (char)rune.Value : Of(IntervalOf(rune.Value), (int)CharUnicodeInfo.GetUnicodeCategory(rune.Value)));
            at += rune.Utf16SequenceLength;
        }
        offsets[replaced.Length] = at;
        return replaced.ToString();
    }

    private int IntervalOf(int character)
    {
        var found = Array.BinarySearch(_intervals, character);
        return found < 0 ? ~found - 1 : found;
    }

    private static char Of(int interval, int category) => (char)(FirstPlaceholder + interval * IntervalSize + category);
}
