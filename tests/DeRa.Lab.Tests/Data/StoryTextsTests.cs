using DeRa.Lab.Data;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryTextsTests : IDisposable
{
    private const string End = "\n<|endoftext|>\n";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_story_is_learned_once_and_none_that_is_held_out()
    {
        var stories = Enumerable.Range(0, 60).Select(Story).ToArray();
        // It is known that their words have no capitals.
        var first = File("first.txt", [.. stories[..30], $"The {string.Join(' ', stories.Select(story => story.Split(' ')[3]))} cats"]);
        var second = File("second.txt", [.. stories[20..40], stories[25]]);
        var lower = LowerFile(stories[30..50]);
        var texts = StoryTexts.Read([lower, first, second], File("held-out.txt", [.. stories[45..], stories[46], stories[3]]));
        Assert.Equal([.. stories[45..], stories[3]], texts.HeldOut);
        // What only the file in lower case has comes last, with capitals.
        Assert.Equal([.. stories[..3], .. stories[4..45]], texts.Training);
        Assert.Equal(31 + 21 + 20, texts.Counts.Read);
        Assert.Equal((1 + 5, 11 + 10),
            (texts.Counts.Dropped(StoryFault.HeldOut), texts.Counts.Dropped(StoryFault.Duplicate)));
    }

    [Fact]
    public void What_is_wrong_is_dropped_and_counted()
    {
        var good = Story(1).Replace("\"I like", "“I like", StringComparison.Ordinal)
            .Replace("balls!\"", "balls!”", StringComparison.Ordinal);
        var file = File("a.txt", good, Story(2).Replace("So", "so he. so", StringComparison.Ordinal), Story(3)[..^10], "Too short.");
        var texts = StoryTexts.Read([file], File("b.txt", Story(9)));
        Assert.Equal([Story(1)], texts.Training);
        Assert.Equal("4 stories read; dropped: 1 cut, 1 short, 1 with broken sentences", texts.Counts.ToString());
    }

    [Fact]
    public void A_lower_case_story_about_somebody_unknown_is_dropped()
    {
        var lower = LowerFile(Story(2), Story(3).Replace("Tom", "zorbo", StringComparison.Ordinal));
        var cased = File("a.txt", Story(1).Replace("aab", "aac aad", StringComparison.Ordinal));
        var texts = StoryTexts.Read([cased, lower], File("b.txt", Story(9)));
        Assert.Equal(1, texts.Counts.Dropped(StoryFault.UnknownWords));
        Assert.Equal(Story(2), texts.Training[^1]);
    }

    [Fact]
    public void Nothing_left_is_an_error_with_the_counts()
    {
        var error = Assert.Throws<LabException>(() => StoryTexts.Read([File("a.txt", Story(9))], File("b.txt", Story(9))));
        Assert.Contains("learn from: 1 stories read; dropped: 1 held out", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Held_out_TinyStories_are_in_no_text_to_learn_from()
    {
        if (SharedData.Find("text") is not { } folder) Assert.Skip(SharedData.Missing);
        else
        {
            string[] files = [.. Directory.GetFiles(folder, "tinystories*").Order(StringComparer.Ordinal)
                .Where(file => !file.Contains("valid", StringComparison.Ordinal))];
            var texts = StoryTexts.Read(files, Path.Combine(folder, "tinystories-v1-valid-first-0.8mb.txt"));
            // Letters alone, from anywhere in a text: neither spelling nor where a story was thought to begin can hide one.
            var learned = string.Join('|', texts.Training.Select(Letters));
            Assert.DoesNotContain(texts.HeldOut, story => learned.Contains(Middle(Letters(story)), StringComparison.Ordinal));
            Assert.InRange(texts.Training.Count, 12_500, 14_000);
            Assert.InRange(texts.HeldOut.Count, 900, 952);
            Assert.All(texts.Training.Concat(texts.HeldOut), story => Assert.Equal(story, StoryCleaning.Clean(story)));
        }
    }

    private string File(string name, params string[] stories) =>
        _folder.Write(name, "It was cut." + End + string.Join(End, stories) + End + "This one is cut o");

    private string LowerFile(params string[] stories) => _folder.Write("lower.txt", "it was cut.\n" + string.Join('\n', stories
        .Select(story => story.ToLowerInvariant().Replace("\n", "\n\n", StringComparison.Ordinal))) + "\nand this is cut o");

    private static string Letters(string text) => new([.. text.Where(char.IsAsciiLetter).Select(char.ToLowerInvariant)]);

    private static string Middle(string letters) => letters.Substring(letters.Length / 2, Math.Min(80, letters.Length / 2));

    /// <summary>A story of its own, in two paragraphs, whose names stand within sentences.</summary>
    private static string Story(int number)
    {
        var word = string.Concat(number.ToString("D3", null).Select(digit => (char)('a' + digit - '0')));
        return $"One day, the {word} cat met Tom. They ran to the {word} park and saw a {word} ball with Tom.\n"
            + $"Then the {word} cat said, \"I like {word} balls!\" So Tom gave the {word} ball to the {word} cat and was happy too.\n"
            + $"In the {word} evening they went to the {word} house and ate a {word} cake.";
    }
}
