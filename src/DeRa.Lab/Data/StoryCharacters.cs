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
        // A name stands within sentences too; at the beginning of one any word has a capital.
        var within = WithinSentence().Matches(story).Select(match => match.Value).Where(name => !s_others.Contains(name)).ToHashSet();
        string[] names = [.. Capital().Matches(story).Select(match => match.Value).Where(within.Contains)
            .CountBy(name => name).Where(name => name.Value >= FewestMentions).OrderByDescending(name => name.Value)
            .Select(name => name.Key)];
        bool IsName(Group group) => names.Contains(group.Value);
        var introduced = Introduction().Matches(story)
            .FirstOrDefault(match => IsName(match.Groups["name"]) && nouns.Phrase(match.Groups["noun"].Value) is not null);
        var plain = introduced is null ? null
            : $"{nouns.Phrase(introduced.Groups["noun"].Value)} named {introduced.Groups["name"].Value}";
        var whole = introduced is null ? null : $"{introduced.Groups["who"].Value} named {introduced.Groups["name"].Value}".ToLowerInvariant();
        return new StoryCharacters(names, whole is null ? null : whole[..^introduced!.Groups["name"].Length] + introduced.Groups["name"].Value,
            plain,
            Joined().Matches(story).FirstOrDefault(match => IsName(match.Groups[1]) && IsName(match.Groups[2]))?.Value,
            Owned().Matches(story).FirstOrDefault(match =>
                IsName(match.Groups[1]) && nouns.Phrase(match.Groups["noun"].Value) is not null
                && WholeWord(story, match.Groups["noun"].Value) >= 2)?.Value);
    }

    private static int WholeWord(string story, string word) => Regex.Count(story, $@"\b{word}\b");

    [GeneratedRegex(@"(?<=[a-z,] )[A-Z][a-z]+\b")]
    private static partial Regex WithinSentence();

    [GeneratedRegex(@"\b[A-Z][a-z]+\b")]
    private static partial Regex Capital();

    [GeneratedRegex(@"\b(?<who>[Aa]n? (?:[a-z]+ ){0,2}(?<noun>[a-z]+)),? (?:named|called) (?<name>[A-Z][a-z]+)\b")]
    private static partial Regex Introduction();

    [GeneratedRegex(@"\b([A-Z][a-z]+) and ([A-Z][a-z]+)\b")]
    private static partial Regex Joined();

    [GeneratedRegex(@"\b([A-Z][a-z]+) and (?:his|her) (?<noun>[a-z]+)\b(?=[.,!?]| (?:were|went|are|had|ran|saw|played|said|looked|lived|walked))")]
    private static partial Regex Owned();
}
