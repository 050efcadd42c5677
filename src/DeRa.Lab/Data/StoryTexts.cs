using System.Text.RegularExpressions;

namespace DeRa.Lab.Data;

/// <summary>
/// Assembles what the default pair learns from: stories with capitals (<c>&lt;|endoftext|&gt;</c> between them) and
/// stories in lower case (a single line end between them, an empty line between paragraphs), of which some are the same.
/// </summary>
internal sealed partial class StoryTexts
{
    private const int HeldOutStories = 100, ShortestStory = 100, ComparedLetters = 120;

    private StoryTexts(IReadOnlyList<string> training, IReadOnlyList<string> heldOut) => (Training, HeldOut) = (training, heldOut);

    /// <summary>Stories to learn from; none of them is held out.</summary>
    public IReadOnlyList<string> Training { get; }

    /// <summary>100 stories with capitals, to measure with.</summary>
    public IReadOnlyList<string> HeldOut { get; }

    /// <summary>Reads both files. The seed determines what is held out.</summary>
    public static StoryTexts Read(string cased, string lowercase, int seed)
    {
        // The file's last story is truncated.
        var stories = DocumentFile.Read(cased).SkipLast(1).Select(story => story.Text).Where(IsWhole).ToArray();
        var heldOut = new HashSet<string>(Shuffled(stories, seed).Take(HeldOutStories), StringComparer.Ordinal);
        var known = stories.Select(Letters).ToHashSet(StringComparer.Ordinal);
        var lower = StoryEnd().Split(File.ReadAllText(lowercase)).Select(story => story.Trim()).SkipLast(1).ToArray();
        var recasing = new Recasing(stories);
        // Both files begin with the same stories; where the boundaries differ, letters alone would miss some.
        var firstNew = Array.FindLastIndex(lower, story => known.Contains(Letters(story))) + 1;
        var added = lower.Skip(firstNew).Where(IsWhole).Select(story => recasing.Apply(story.Replace("\n\n", "\n")));
        return new StoryTexts([.. stories.Where(story => !heldOut.Contains(story)), .. added], [.. heldOut]);
    }

    private static bool IsWhole(string story) => story.Length >= ShortestStory;

    private static string[] Shuffled(string[] stories, int seed)
    {
        var copy = stories.ToArray();
        new Random(seed).Shuffle(copy);
        return copy;
    }

    private static string Letters(string story) =>
        new([.. story.Where(char.IsAsciiLetter).Take(ComparedLetters).Select(char.ToLowerInvariant)]);

    [GeneratedRegex(@"(?<!\n)\n(?!\n)")]
    private static partial Regex StoryEnd();
}
