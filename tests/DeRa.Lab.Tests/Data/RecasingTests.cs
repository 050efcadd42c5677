using System.Text.RegularExpressions;
using DeRa.Lab.Data;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed partial class RecasingTests
{
    private const string Story = """
        Once upon a time, there was a girl named Lily. Lily had a dog. "I like you, Tom," she said. "Do you like me?"
        The dog said, "Woof!" Then Lily and Tom went to the park with Mr. Brown. It was a sunny day, and I think that Tom was happy.
        They saw Ben's big red ball. "Can I play?" asked Ben. Lily said, "Yes, Ben, you can." So Ben and Tom played until Mom came.
        Mom said, "I'm glad that you had fun!" At home, Lily told Mr. Brown about Ben. The end.
        """;

    [Fact]
    public void Text_in_lower_case_gets_its_capitals_back() => Assert.InRange(ShareKept(Story, [Story]), 0.97, 1);

    [Fact]
    public void Names_are_known_from_within_sentences_only()
    {
        var recasing = new Recasing(["The cat saw Tom. A cat ran. Then Tom ran to a cat."]);
        Assert.Equal("The cat saw Tom. Then Tom ran. \"A cat,\" said Tom, \"No cat!\"",
            recasing.Apply("the cat saw tom. then tom ran. \"a cat,\" said tom, \"no cat!\""));
    }

    [Fact]
    public void Whoever_a_text_says_is_named_so_keeps_the_name_in_it()
    {
        var recasing = new Recasing(["A dog saw a spot. Then it saw a spot."]);
        Assert.Equal("A dog named Spot saw Spot's spots.", recasing.Apply("a dog named spot saw spot's spots."));
        Assert.Equal("A dog saw a spot, named after a dog.", recasing.Apply("a dog saw a spot, named after a dog."));
    }

    [Theory]
    [InlineData("the dog saw tom's cat.", true)]
    [InlineData("a fox saw a cat.", true)]
    [InlineData("a fox saw a fox.", false)]
    [InlineData("a cat named fox saw fox's cat. fox ran.", true)]
    public void A_word_that_may_be_a_name_of_somebody_is_unknown(string text, bool isKnown) =>
        Assert.Equal(isKnown, new Recasing(["A cat saw the dog with Tom. Then it ran. A dog named Tom."]).KnowsWordsOf(text));

    [Fact]
    public void Nothing_but_letters_changes()
    {
        const string text = "  1 cat,\n\ntwo-cats…\t\"hm\" ";
        Assert.Equal(text, new Recasing([Story]).Apply(text), ignoreCase: true);
    }

    [Fact]
    public void Unseen_stories_get_almost_all_their_capitals_back()
    {
        var file = SharedData.Find("text/tinystories-sample-2mib.txt");
        if (file is null) Assert.Skip(SharedData.Missing);
        var stories = DocumentFile.Read(file).Select(story => story.Text).ToArray();
        Assert.InRange(ShareKept(string.Join('\n', stories[..200]), stories[200..]), 0.985, 1);
    }

    private static double ShareKept(string cased, IEnumerable<string> learned)
    {
        var (expected, actual) = (Words(cased), Words(new Recasing(learned).Apply(cased.ToLowerInvariant())));
        Assert.Equal(expected.Length, actual.Length);
        return expected.Zip(actual).Count(pair => pair.First == pair.Second) / (double)expected.Length;
    }

    private static string[] Words(string text) => [.. Word().Matches(text).Select(word => word.Value)];

    [GeneratedRegex(@"[\p{L}']+")]
    private static partial Regex Word();
}
