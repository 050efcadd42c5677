using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>Who a story is about, by name.</summary>
/// <param name="Names">Names that it has at least three times, the most frequent first.</param>
/// <param name="Introduced">What it says of somebody at first, "a little girl named Lily"; null = nothing.</param>
/// <param name="Plain">The same without adjectives, "a girl named Lily".</param>
/// <param name="Pair">Two names that it joins, "Tom and Sam"; null = none.</param>
/// <param name="WithOther">A name with what belongs to it, "Tom and his dog"; null = none.</param>
internal sealed partial record StoryCharacters(
    IReadOnlyList<string> Names, string? Introduced, string? Plain, string? Pair, string? WithOther)
{
    private const int FewestMentions = 3;

    /// <summary>Words with a capital within sentences that are no names.</summary>
    private static readonly HashSet<string> s_others = new(
        """
        I Mom Mommy Mama Mum Mummy Mother Dad Daddy Papa Father Grandma Grandpa Granny Nana Mr Mrs Ms Dr Miss Sir God Christmas Monday
        Tuesday Wednesday Thursday Friday Saturday Sunday January February March April May June July August September October November
        December The He She It They You We Yes No Hi Hello Oh Thank The End OK Let What Please English Halloween Easter Santa Earth Moon
        Sun TV Don Can Do Look
        """.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries), StringComparer.Ordinal);

    /// <summary>Finds the characters of a story, with the nouns that say what they are.</summary>
    public static StoryCharacters Of(string story, Nouns nouns)
    {
        var names = NamesOf(story);
        var introduction = Introduction().Matches(story).FirstOrDefault(match => IsName(match) && IsNoun(match));
        var name = introduction?.Groups["name"].Value;
        return new StoryCharacters(
            names,
            introduction is null ? null : $"{introduction.Groups["who"].Value.ToLowerInvariant()} named {name}",
            introduction is null ? null : $"{nouns.Phrase(introduction.Groups["noun"].Value)} named {name}",
            Joined().Matches(story).FirstOrDefault(match => IsName(match) && names.Contains(match.Groups["other"].Value))?.Value,
            Owned().Matches(story).FirstOrDefault(match => IsName(match) && IsNoun(match) && IsNamedAgain(match.Groups["noun"]))?.Value);

        bool IsName(Match match) => names.Contains(match.Groups["name"].Value);

        bool IsNoun(Match match) => nouns.Phrase(match.Groups["noun"].Value) is not null;

        bool IsNamedAgain(Group noun) => Regex.Count(story, $@"\b{noun.Value}\b") > 1;
    }

    private static string[] NamesOf(string story)
    {
        // A name stands within sentences too; at the beginning of one any word has a capital.
        var within = WithinSentence().Matches(story).Select(match => match.Value).Where(name => !s_others.Contains(name)).ToHashSet();
        return [.. Capital().Matches(story).Select(match => match.Value).Where(within.Contains)
            .CountBy(name => name).Where(name => name.Value >= FewestMentions).OrderByDescending(name => name.Value)
            .Select(name => name.Key)];
    }

    [GeneratedRegex(@"(?<=[a-z,] )[A-Z][a-z]+\b")]
    private static partial Regex WithinSentence();

    [GeneratedRegex(@"\b[A-Z][a-z]+\b")]
    private static partial Regex Capital();

    [GeneratedRegex(@"\b(?<who>[Aa]n? (?:[a-z]+ ){0,2}(?<noun>[a-z]+)),? (?:named|called) (?<name>[A-Z][a-z]+)\b")]
    private static partial Regex Introduction();

    [GeneratedRegex(@"\b(?<name>[A-Z][a-z]+) and (?<other>[A-Z][a-z]+)\b")]
    private static partial Regex Joined();

    [GeneratedRegex(@"\b(?<name>[A-Z][a-z]+) and (?:his|her) (?<noun>[a-z]+)\b"
        + @"(?=[.,!?]| (?:were|went|are|had|ran|saw|played|said|looked|lived|walked))")]
    private static partial Regex Owned();
}
