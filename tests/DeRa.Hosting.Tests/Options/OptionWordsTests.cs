using DeRa.Hosting.Options;
using Xunit;

namespace DeRa.Hosting.Tests.Options;

public class OptionWordsTests
{
    private enum Cover
    {
        Auto,
        HardBack,
        None,
    }

    [Fact]
    public void Words_are_the_values_names_in_kebab_case()
    {
        Assert.Equal(["auto", "hard-back", "none"], OptionWords.All(typeof(Cover)));
        Assert.Equal("auto, hard-back or none", OptionWords.Allowed(typeof(Cover)));
        Assert.All(Enum.GetValues<Cover>(), value => Assert.Equal(value, OptionWords.Find(typeof(Cover), OptionWords.Format(value))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("HardBack")]
    [InlineData("hard_back")]
    [InlineData(" auto")]
    [InlineData("auto, none")]
    public void What_is_no_word_has_no_value(string word) => Assert.Null(OptionWords.Find(typeof(Cover), word));

    [Fact]
    public void Upper_and_lower_case_are_the_same() => Assert.Equal(Cover.HardBack, OptionWords.Find(typeof(Cover), "HARD-back"));
}
