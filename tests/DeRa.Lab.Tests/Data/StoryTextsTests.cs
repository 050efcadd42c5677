using DeRa.Lab.Data;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryTextsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Held_out_stories_are_in_no_text_to_learn_from()
    {
        // 150 stories in both files, 30 in lower case only; both files end within a story.
        var stories = Enumerable.Range(0, 180).Select(Story).ToArray();
        var cased = _folder.Write("cased.txt", string.Join("\n<|endoftext|>\n", stories[..150]) + "\n<|endoftext|>\nThis one is cut o");
        var lower = _folder.Write(
            "lower.txt", string.Join('\n', stories.Select(story => story.ToLowerInvariant())) + "\nand this is cut o");
        var texts = StoryTexts.Read(cased, lower, seed: 1);
        Assert.Equal((80, 100), (texts.Training.Count, texts.HeldOut.Count));
        Assert.Empty(texts.HeldOut.Except(stories));
        Assert.Empty(texts.HeldOut.Intersect(texts.Training, StringComparer.OrdinalIgnoreCase));
        // What only the other file has comes with capitals, and each story once.
        Assert.Equal(stories[150..].Select(story => story.Replace("\n\n", "\n")), texts.Training.TakeLast(30));
        Assert.Equal(texts.Training.Count, texts.Training.Distinct().Count());
        Assert.DoesNotContain(texts.Training.Concat(texts.HeldOut), story => story.Contains("cut o", StringComparison.Ordinal));
    }

    [Fact]
    public void The_seed_decides_what_is_held_out()
    {
        var stories = string.Join("<|endoftext|>", Enumerable.Range(0, 150).Select(Story)) + "<|endoftext|>cut";
        var cased = _folder.Write("cased.txt", stories);
        var lower = _folder.Write("lower.txt", "a cat\nb");
        Assert.Equal(StoryTexts.Read(cased, lower, 1).HeldOut, StoryTexts.Read(cased, lower, 1).HeldOut);
        Assert.NotEqual(StoryTexts.Read(cased, lower, 1).HeldOut, StoryTexts.Read(cased, lower, 2).HeldOut);
    }

    [Fact]
    public void Held_out_TinyStories_are_in_no_text_to_learn_from()
    {
        var cased = SharedData.Find("text/tinystories-sample-2mib.txt");
        if (cased is null) Assert.Skip(SharedData.Missing);
        var texts = StoryTexts.Read(cased, SharedData.Find("text/tinystories-lowercase-4mb.txt")!, seed: 1);
        Assert.Equal(100, texts.HeldOut.Count);
        // Letters alone, from anywhere in a text: neither spelling nor where a story was thought to begin can hide one.
        var learned = string.Join('|', texts.Training.Select(Letters));
        Assert.DoesNotContain(texts.HeldOut, story => learned.Contains(Middle(Letters(story)), StringComparison.Ordinal));
        Assert.True(texts.Training.Count > 4000, $"{texts.Training.Count} stories");
    }

    private static string Letters(string text) => new([.. text.Where(char.IsAsciiLetter).Select(char.ToLowerInvariant)]);

    private static string Middle(string letters) => letters.Substring(letters.Length / 2, Math.Min(80, letters.Length / 2));

    /// <summary>A story of its own, in two paragraphs, whose names stand within sentences.</summary>
    private static string Story(int number)
    {
        var word = string.Concat(number.ToString("D3", null).Select(digit => (char)('a' + digit - '0')));
        return $"One day, the {word} cat met Tom. They ran to the {word} park and saw a {word} ball with Tom.\n\n"
            + $"Then the cat said, \"I like {word} balls!\" So Tom was happy.";
    }
}
