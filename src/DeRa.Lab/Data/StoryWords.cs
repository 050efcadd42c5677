using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>The words of stories, in small letters, to tell words from what looks like one.</summary>
internal static partial class StoryWords
{
    /// <summary>The words that occur at least twice, in alphabetical order.</summary>
    public static IReadOnlyList<string> Of(IEnumerable<string> stories) =>
        [.. stories.SelectMany(story => Word().Matches(story).Select(match => match.Value.ToLowerInvariant()))
            .CountBy(word => word, StringComparer.Ordinal).Where(word => word.Value >= 2)
            .Select(word => word.Key).Order(StringComparer.Ordinal)];

    [GeneratedRegex(@"[A-Za-z]+(?:'[A-Za-z]+)*")]
    private static partial Regex Word();
}
