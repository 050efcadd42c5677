using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>What somebody learns in a story, where it says so: "They learned that it is good to share".</summary>
internal static partial class StoryLesson
{
    private static readonly (string Lesson, Regex Said)[] s_lessons =
    [
        ("to share", Sharing()), ("to be kind", Kindness()), ("to be careful", Care()), ("to listen", Listening()),
        ("to help others", Help()),
    ];

    /// <summary>The lesson, "to share"; null where none is found.</summary>
    public static string? Of(string story) => s_lessons.FirstOrDefault(lesson => lesson.Said.IsMatch(story)).Lesson;

    private const string Learned = @"\blearn(?:ed|t) (?:that |how )?(?:it (?:is|was) |it's )?(?:always |very )?"
        + @"(?:good |important |better |nice )?(?:to )?(?:always )?";

    [GeneratedRegex(Learned + @"shar(?:e|ing)\b")]
    private static partial Regex Sharing();

    [GeneratedRegex(Learned + @"be(?:ing)? (?:kind|nice)\b")]
    private static partial Regex Kindness();

    [GeneratedRegex(Learned + @"be(?:ing)? careful\b")]
    private static partial Regex Care();

    [GeneratedRegex(Learned + @"listen(?:ing)?\b")]
    private static partial Regex Listening();

    [GeneratedRegex(Learned + @"help(?:ing)? (?:others|each other|people|friends)\b")]
    private static partial Regex Help();
}
