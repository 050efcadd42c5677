using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryCharactersTests
{
    private static readonly Nouns s_nouns = Nouns.Learn(
        [.. Enumerable.Repeat("A girl and a dog. The girl saw the dog. A cat was in the bed.", 6)]);

    [Fact]
    public void Names_are_known_with_what_the_text_says_of_them()
    {
        var characters = StoryCharacters.Of(
            "Once there was a little girl named Lily. Lily and her dog were in the park with Tom. The dog saw Tom. \"Hi, Tom!\" said Lily. "
            + "Lily and Tom played. Mom saw Lily. Then Mom called. The Mom said that Mom and I like Ben.", s_nouns);
        Assert.Equal(["Lily", "Tom"], characters.Names);
        Assert.Equal(("a little girl named Lily", "a girl named Lily"), (characters.Introduced, characters.Plain));
        Assert.Equal(("Lily and Tom", "Lily and her dog"), (characters.Pair, characters.WithOther));
    }

    [Fact]
    public void Whoever_is_hardly_there_is_no_character()
    {
        var characters = StoryCharacters.Of(
            "A cat called Max saw a hill named Bob. The cat and the dog ran to Max. Then they ran. Then they sat.", s_nouns);
        Assert.Equal(([], null, null, null, null),
            (characters.Names.ToArray(), characters.Introduced, characters.Plain, characters.Pair, characters.WithOther));
    }

    [Fact]
    public void What_is_introduced_has_to_be_a_noun()
    {
        const string story = "There was a big old named Max. They saw Max. Then Max ran with Max.";
        Assert.Null(StoryCharacters.Of(story, s_nouns).Introduced);
        Assert.Equal("a big old dog named Max",
            StoryCharacters.Of(story.Replace("old ", "old dog ", StringComparison.Ordinal), s_nouns).Introduced);
    }
}
