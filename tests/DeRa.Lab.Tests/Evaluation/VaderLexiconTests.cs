using DeRa.Lab.Evaluation;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Evaluation;

public sealed class VaderLexiconTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    // Sums of valences: good 1.9, happy 2.7, sad −2.1; negated they count −0.74 times.
    [Theory]
    [InlineData("", 0)]
    [InlineData("The dog sat.", 0)]
    [InlineData("The dog was happy.", 2.7)]
    [InlineData("HAPPY, happy!", 5.4)]
    [InlineData("A good dog and a sad cat", 1.9 - 2.1)]
    [InlineData("He was not happy.", -.74 * 2.7)]
    [InlineData("He wasn’t at all happy.", -.74 * 2.7)]
    [InlineData("He was never ever so happy.", -.74 * 2.7)]
    [InlineData("He was not in the least happy.", 2.7)]
    [InlineData("He was not sad.", .74 * 2.1)]
    [InlineData("Not not happy", -.74 * 2.7)]
    public void The_compound_score_is_the_sum_of_valences_brought_into_the_unit_range(string text, double sum) =>
        Assert.Equal(sum / Math.Sqrt(sum * sum + 15),
            Read("good\t1.9\t0.9\t[2, 2]\nhappy\t2.7\nSad\t-2.1\n").Compound(TextWords.Of(text)), 12);

    // Scores that the paper's own implementation (vaderSentiment 3.3) documents for sentences without intensifiers or punctuation.
    [Fact]
    public void Published_scores_are_reproduced()
    {
        if (SharedData.Find("sentiment/vader_lexicon.txt") is not { } path)
        {
            Assert.Skip(SharedData.Missing);
            return;
        }
        var lexicon = VaderLexicon.Read(path);
        Assert.Equal(.8316, lexicon.Compound(TextWords.Of("VADER is smart, handsome, and funny.")), 4);
        Assert.Equal(-.7424, lexicon.Compound(TextWords.Of("VADER is not smart, handsome, nor funny.")), 4);
        Assert.Equal(.4404, lexicon.Compound(TextWords.Of("The book was good.")), 4);
    }

    [Theory]
    [InlineData("happy 2.7\n", "line 1 is not a word, a tab and its mean valence")]
    [InlineData("happy\t2.7\nsad\tvery\n", "line 2")]
    [InlineData("happy\tNaN\n", "line 1")]
    [InlineData("\n", "holds no word")]
    public void What_is_no_lexicon_is_refused(string text, string named)
    {
        var error = Assert.Throws<LabException>(() => Read(text));
        Assert.StartsWith("--vader: ", error.Message);
        Assert.Contains(named, error.Message);
    }

    [Fact]
    public void A_missing_file_is_named() =>
        Assert.Equal("--vader: there is no file none.txt.", Assert.Throws<LabException>(() => VaderLexicon.Read("none.txt")).Message);

    private VaderLexicon Read(string text) => VaderLexicon.Read(_folder.Write("lexicon.txt", text));
}
