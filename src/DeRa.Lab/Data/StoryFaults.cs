using System.Buffers;
using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>Finds what is wrong with a story by itself.</summary>
internal static partial class StoryFaults
{
    private const int ShortestStory = 200;

    private static readonly SearchValues<char> Usual = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \n.,!?'\"-;:");

    /// <summary>The first fault of a cleaned story; null where there is none.</summary>
    public static StoryFault? Of(string story) =>
        story.Length < ShortestStory ? StoryFault.Short
        : !Whole().IsMatch(story) ? StoryFault.Truncated
        : story.AsSpan().ContainsAnyExcept(Usual) ? StoryFault.Characters
        : Label().IsMatch(story) ? StoryFault.Labels
        : story.Split('\n').Any(HasMisplacedQuotation) ? StoryFault.Quotations
        : BrokenSentence().IsMatch(story) ? StoryFault.Sentences
        : null;

    /// <summary>Whether marks are missing, or one does not stand where a quotation begins or ends.</summary>
    private static bool HasMisplacedQuotation(string paragraph)
    {
        var parts = paragraph.Split('"');
        if (parts.Length % 2 == 0) return true;
        for (var quoted = 1; quoted < parts.Length; quoted += 2)
        {
            var (before, after) = (parts[quoted - 1], parts[quoted + 1]);
            if (parts[quoted].Length == 0 || (before.Length > 0 && before[^1] is not (' ' or '\'' or '-'))
                || (after.Length > 0 && char.IsAsciiLetterOrDigit(after[0])))
                return true;
        }
        return false;
    }

    [GeneratedRegex(@"^[""']?[A-Z](?s:.*)[.!?][""']*$")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^[A-Za-z]+:", RegexOptions.Multiline)]
    private static partial Regex Label();

    [GeneratedRegex(@"(?<!\b(?:Mr|Mrs|Ms|Dr|St))(?<=[a-z])[.] [a-z]|\n[a-z]|[a-z][.!?,][A-Za-z]")]
    private static partial Regex BrokenSentence();
}
