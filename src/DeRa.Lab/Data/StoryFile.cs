using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>The stories of a file, less the first and the last, which may be cut.</summary>
/// <param name="Stories">As they stand in the file.</param>
/// <param name="IsLowerCase">Whether the file has no capitals.</param>
/// <param name="Parts">Parts of stories that were left out, because single line ends stand within stories of that file too.</param>
internal sealed partial record StoryFile(IReadOnlyList<string> Stories, bool IsLowerCase, int Parts)
{
    private const double MostCapitals = 0.001;
    private const int ShortParagraph = 300;

    /// <summary>
    /// Reads a file with <c>&lt;|endoftext|&gt;</c> between stories; or one in lower case, where a single line end stands between
    /// stories and an empty line between paragraphs.
    /// </summary>
    /// <exception cref="LabException">There are not three stories in it.</exception>
    public static StoryFile Read(string path)
    {
        var text = File.ReadAllText(path).ReplaceLineEndings("\n");
        var isMarked = text.Contains(DocumentFile.Separator, StringComparison.Ordinal);
        var isLowerCase = !isMarked && text.Count(char.IsUpper) <= text.Length * MostCapitals;
        var parts = isLowerCase ? StoryEnd().Split(text) : text.Split(DocumentFile.Separator);
        var stories = parts.Select(story => story.Trim()).Where(story => story.Length > 0).ToArray();
        return stories.Length > 2 ? Of(stories[1..^1], isLowerCase)
            : throw new LabException($"{path}: {stories.Length} stories are in it; 3 are needed, because the first and the last may be cut "
                + $"and are left out. {DocumentFile.Separator} stands between stories, or in a file without capitals a line end.");
    }

    private static StoryFile Of(string[] stories, bool isLowerCase)
    {
        if (!isLowerCase) return new StoryFile(stories, false, 0);
        string[] whole = [.. stories.Where((story, i) => !(i > 0 && GoesOnWith(stories[i - 1], story))
            && !(i + 1 < stories.Length && GoesOnWith(story, stories[i + 1])))];
        return new StoryFile(whole, true, stories.Length - whole.Length);
    }

    /// <summary>Whether what stands after a line end seems to be the same story: it does not begin as stories do.</summary>
    private static bool GoesOnWith(string before, string after) => !Opening().IsMatch(after)
        && (IsParagraph(after) || Continuation().IsMatch(after) || (IsParagraph(before) && before.Length < ShortParagraph));

    private static bool IsParagraph(string text) => !text.Contains('\n');

    [GeneratedRegex(@"^(?:once|there (?:once|was|lived)|(?:a )?long (?:time )?ago)\b")]
    private static partial Regex Opening();

    [GeneratedRegex(@"^(?:""|(?:the|he|she|they|it|his|her|but|so|then|and|as|when|while|after|suddenly|inside|finally|soon|"
        + @"eventually|later|just|from|at|with|that|this|everyone)\b)")]
    private static partial Regex Continuation();

    [GeneratedRegex(@"(?<!\n)\n(?!\n)")]
    private static partial Regex StoryEnd();
}
