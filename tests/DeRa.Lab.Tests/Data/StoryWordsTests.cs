using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryWordsTests
{
    [Fact]
    public void Words_that_occur_twice_are_listed_in_small_letters() =>
        Assert.Equal(["cat", "don't", "the"], StoryWords.Of(["The cat. \"Don't!\" A dog's hat.", "the cats' Cat don't"]));
}
