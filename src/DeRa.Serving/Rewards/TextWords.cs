using System.Text.RegularExpressions;

namespace DeRa.Serving.Rewards;

/// <summary>The words of a text: letters with apostrophes between them, in lower case, ’ written as '.</summary>
public static partial class TextWords
{
    /// <summary>The words in their order. Digits, hyphens and punctuation end a word and belong to none.</summary>
    public static IReadOnlyList<string> Of(string text)
    {
        var words = new List<string>(text.Length / 5);
        foreach (var place in Places(text)) words.Add(text[place].ToLowerInvariant().Replace('’', '\''));
        return words;
    }

    /// <summary>Where the words are, in their order.</summary>
    public static IReadOnlyList<Range> Places(string text)
    {
        var places = new List<Range>(text.Length / 5);
        foreach (var match in Word().EnumerateMatches(text)) places.Add(match.Index..(match.Index + match.Length));
        return places;
    }

    [GeneratedRegex(@"\p{L}+(?:['’]\p{L}+)*")]
    private static partial Regex Word();
}
