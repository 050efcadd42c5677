using System.Globalization;
using System.Text;
using DeRa.Text.Tokenizers.HuggingFace;
using Xunit;

namespace DeRa.Text.Tests.Tokenizers;

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

    /// <summary>Runs short enough for .NET to sort fast are the independent expectation: every class against every other.</summary>
    [Fact]
    public void Long_runs_of_marks_are_put_in_the_order_that_short_ones_get()
    {
        var random = new Random(6);
        var marks = Enumerable.Range(0, 0x20000).Where(Rune.IsValid).Select(value => new Rune(value))
            .Where(rune => Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark)
                .ToArray();
        foreach (var form in Enum.GetValues<NormalizationForm>())
        {
            for (var i = 0; i < 50; i++)
            {
                var text = "e"
                    + string.Concat(Enumerable.Range(0, random.Next(200, 600)).Select(_ => marks[random.Next(marks.Length)])) + "o";
                Assert.Equal(text.Normalize(form), MarkOrder.SortLongRuns(text).Normalize(form));
            }
        }
    }

    /// <summary>A million marks in alternating order: one at a time they would be moved past half a million others.</summary>
    [Fact]
    public void A_long_run_of_marks_is_normalized_in_linear_time()
    {
        const int pairs = 1 << 19;
        var text = "x" + string.Concat(Enumerable.Repeat("\u0301\u0327", pairs));
        var normalized = UnicodeForm.Apply(text, NormalizationForm.FormC);
        Assert.Equal("x" + new string('\u0327', pairs) + new string('\u0301', pairs), normalized);
    }
}
