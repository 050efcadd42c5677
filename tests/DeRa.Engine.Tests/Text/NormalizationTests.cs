using System.Text;
using DeRa.Engine.Text.HuggingFace;
using Xunit;

namespace DeRa.Engine.Tests.Text;

/// <summary>Expectations are the output of huggingface/tokenizers 0.23.2's normalizers.</summary>
public sealed class NormalizationTests
{
    [Theory]
    [InlineData("e\u0301 e\u0327\u0301 \u1100\u1161\u11A8 \u212B", "é ȩ́ 각 Å")]
    [InlineData("\u0355\u0C3C\u0301", "\u0355\u0C3C\u0301")]
    [InlineData("e\u0C3C\u0301", "e\u0C3C\u0301")]
    [InlineData("\U00011935\U00011930e\u0301", "\U00011935\U00011930é")]
    [InlineData("\U00016121e\u0301\U000105D2\u0307", "\U00016121é\U000105D2\u0307")]
    public void Composition_is_that_of_the_reference_whatever_Unicode_this_runtime_knows(string text, string expected) =>
        Assert.Equal(expected, UnicodeForm.Apply(text, NormalizationForm.FormC));

    [Fact]
    public void A_noncharacter_is_no_error() =>
        Assert.Equal("é\uFFFEé\uFFFF", UnicodeForm.Apply("e\u0301\uFFFEe\u0301\uFFFF", NormalizationForm.FormC));
}
