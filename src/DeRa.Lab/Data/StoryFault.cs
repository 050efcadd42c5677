using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>Why a story is not learned from.</summary>
internal enum StoryFault
{
    /// <summary>It does not begin with a capital, or not end with the end of a sentence.</summary>
    Truncated,

    /// <summary>It has fewer than 200 characters.</summary>
    Short,

    /// <summary>It has characters that are not ASCII, or none that stories have.</summary>
    Characters,

    /// <summary>In a paragraph a quotation mark is missing or misplaced.</summary>
    Quotations,

    /// <summary>A sentence begins with a small letter, or sentences run into each other.</summary>
    Sentences,

    /// <summary>A line begins with a label, such as the speaker's name.</summary>
    Labels,

    /// <summary>Of a story in lower case it is unknown which words have capitals.</summary>
    UnknownWords,

    /// <summary>It begins as, or has a long part of, one that was read before.</summary>
    Duplicate,

    /// <summary>It has a long part of a story that is held out.</summary>
    HeldOut,
}

/// <summary>Finds what is wrong with a story by itself.</summary>
internal static partial class StoryFaults
{
    private const int ShortestStory = 200;

    /// <summary>The first fault of a cleaned story; null where there is none.</summary>
    public static StoryFault? Of(string story) =>
        story.Length < ShortestStory ? StoryFault.Short
        : !Whole().IsMatch(story) ? StoryFault.Truncated
        : story.AsSpan().ContainsAnyExcept(Usual) ? StoryFault.Characters
        : Label().IsMatch(story) ? StoryFault.Labels
        : story.Split('\n').Any(HasMisplacedQuotation) ? StoryFault.Quotations
        : BrokenSentence().IsMatch(story) ? StoryFault.Sentences
        : null;

    private static readonly System.Buffers.SearchValues<char> Usual = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 \n.,!?'\"-;:");

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
