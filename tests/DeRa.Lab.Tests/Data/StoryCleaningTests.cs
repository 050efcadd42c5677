using DeRa.Lab.Data;
using Xunit;

namespace DeRa.Lab.Tests.Data;

public sealed class StoryCleaningTests
{
    [Theory]
    [InlineData("“Hi,” said «Tom». It’s ‘fun’…", "\"Hi,\" said \"Tom\". It's 'fun'...")]
    [InlineData("â€œHi,â€ said Tom.", "\"Hi,\" said Tom.")]
    [InlineData("A bond— they knew – all—of it -- it.", "A bond - they knew - all - of it - it.")]
    [InlineData("An old  man\u00a0 sat . \n\n He ran ,and four…Jim ran. ", "An old man sat.\nHe ran,and four... Jim ran.")]
    [InlineData("One.\n \n\nTwo.\r\nThree.", "One.\nTwo.\nThree.")]
    [InlineData("One.<|endoftext|>Two.", "One.\nTwo.")]
    [InlineData("He said, \" really?! How? \" and left.", "He said, \"really?! How?\" and left.")]
    [InlineData("\"One. \" two. \"\n\" three \"", "\"One. \" two. \"\n\"three\"")]
    [InlineData("A mother-in-law's well-known cat: \"No!\"", "A mother-in-law's well-known cat: \"No!\"")]
    public void Text_gets_one_form(string text, string clean) => Assert.Equal(clean, StoryCleaning.Clean(text));

    [Fact]
    public void Clean_text_stays_as_it_is()
    {
        var clean = StoryCleaning.Clean("“Hi — you , there…” said\n\nTom . ");
        Assert.Equal(clean, StoryCleaning.Clean(clean));
    }
}
