using DeRa.Serving.Sweeps.Summaries;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

/// <summary>Expected numbers are nltk 3.8's <c>sentence_bleu</c> with <c>SmoothingFunction().method1</c>, averaged.</summary>
public sealed class SelfBleuTests
{
    [Fact]
    public void Each_text_is_compared_with_the_others_of_its_group()
    {
        Assert.Equal(.5133670278123075, SelfBleu.Of(
            [["the cat sat on the mat today", "the cat sat on a mat", "a dog sat on the mat and slept"]]), 1e-12);
        Assert.Equal(.44918872709654806, SelfBleu.Of(
            [["a b c d e", "a b  c d\ne"], ["a a a b", "a b b c d", "", "q"], ["alone"]]), 1e-12);
    }

    [Fact]
    public void Short_texts_have_runs_that_nothing_matches() =>
        Assert.Equal(.14402765898504014, SelfBleu.Of([["a b c", "a b", "x y z w v"]]), 1e-12);

    [Fact]
    public void Equal_texts_give_one_and_texts_alone_nothing()
    {
        Assert.Equal(1, SelfBleu.Of([["a b c d", "a b c d"]]), 1e-12);
        Assert.Equal(double.NaN, SelfBleu.Of([["a b c d"], ["e f", " "]]));
    }

    [Fact]
    public void Of_many_texts_the_next_eight_are_compared()
    {
        var texts = Enumerable.Range(0, 12).Select(i => string.Join(' ', Enumerable.Range(0, 14 - i % 3)
            .Select(j => $"w{(i * i + j * (i % 4 + 1) + j * j / (i + 2)) % 13}"))).ToList();
        // With all eleven it would be .470212.
        Assert.Equal(.38975349887382743, SelfBleu.Of([texts]), 1e-12);
    }
}
