using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class SharedLettersTests
{
    private readonly string _story = string.Join(' ',
        Enumerable.Range(0, 80).Select(i => $"Word{(char)('a' + (i % 26))}{(char)('a' + (i / 26))},"));

    [Fact]
    public void A_story_is_known_in_other_letters_with_other_signs_and_from_elsewhere()
    {
        var letters = new SharedLetters();
        letters.Add(_story);
        Assert.True(letters.AreIn(_story));
        Assert.True(letters.AreIn(_story.ToUpperInvariant().Replace(", ", "\n--", StringComparison.Ordinal)));
        Assert.True(letters.AreIn("It begins elsewhere. " + _story[110..420]));
    }

    [Fact]
    public void Another_story_with_the_same_sentence_is_not()
    {
        var letters = new SharedLetters();
        letters.Add(_story);
        Assert.False(letters.AreIn(_story[..100] + " and goes on in its own way for some time, until an end comes that is another."));
        Assert.False(letters.AreIn(""));
    }
}
