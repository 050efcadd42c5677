using DeRa.Lab.Evaluation;
using DeRa.Serving.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Evaluation;

public sealed class GoldMeasureTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Gold_is_vader_less_weighted_shares_of_malformed_words_and_repeated_runs()
    {
        // Ten words, seven runs of four: one word is malformed, and the last run is the first again.
        var scores = Measure("The dog was happy and hairciliate. The dog was happy.");
        Assert.Equal((2 * 2.7) / Math.Sqrt(4 * 2.7 * 2.7 + 15), scores.Vader, 12);
        Assert.Equal(1 / 10.0, scores.Malformed, 12);
        Assert.Equal(1 / 7.0, scores.Repeated, 12);
        Assert.Equal(scores.Vader - 10 * scores.Malformed - 2 * scores.Repeated, scores.Gold, 12);
    }

    [Theory]
    [InlineData("The dog's toy was Lily's.", 0)]
    [InlineData("The dog’s toy", 0)]
    [InlineData("THE DOG WAS HAPPY", 0)]
    [InlineData("He didn't.", 0)]
    [InlineData("He did'nt.", .5)]
    [InlineData("The well-known toy, 3 of 4!", 0)]
    [InlineData("The Blarg was happy.", .25)]
    [InlineData("", 0)]
    public void Words_are_known_in_any_case_and_with_a_possessive(string text, double share) =>
        Assert.Equal(share, Measure(text).Malformed, 12);

    [Theory]
    [InlineData("The d", "og was happy.", true, 0)]
    [InlineData("The d", " og was happy.", true, 1 / 3.0)]
    [InlineData("Lily", "'s toy was happy.", true, 0)]
    [InlineData("The", " dog was hap", true, 1 / 3.0)]
    [InlineData("The", " dog was hap", false, 0)]
    [InlineData("The", " dog was hap.", false, 1 / 3.0)]
    [InlineData("The d", "o", false, 0)]
    [InlineData("blarg", " was happy.", true, 0)]
    public void Words_that_the_prompt_begins_or_the_limit_cuts_are_not_held_against_a_text(
        string prompt, string text, bool finished, double malformed) =>
        Assert.Equal(malformed, Measure(text, prompt, finished).Malformed, 12);

    [Theory]
    [InlineData("a b c d", 0)]
    [InlineData("a a a a a", .5)]
    [InlineData("a b c d A b c D", 1 / 5.0)]
    [InlineData("a b c a b c a b c", 3 / 6.0)]
    public void Runs_of_four_words_that_occurred_before_are_repeated(string text, double share) =>
        Assert.Equal(share, Measure(text).Repeated, 12);

    [Fact]
    public void Word_lists_that_are_missing_or_empty_are_named()
    {
        Assert.Equal("--known-words: there is no file none.txt.",
            Assert.Throws<LabException>(() => KnownWords.Read(["none.txt"])).Message);
        string[] files = [_folder.Write("words.txt", "a"), _folder.Write("empty.txt", "1\n2")];
        Assert.Contains("empty.txt: holds no word", Assert.Throws<LabException>(() => KnownWords.Read(files)).Message);
    }

    private GoldScores Measure(string text, string prompt = "", bool finished = true) => new GoldMeasure(
        VaderLexicon.Read(_folder.Write("lexicon.txt", "happy\t2.7\n")),
        KnownWords.Read([
            _folder.Write("words.txt", "the\nDOG\nwas\nhappy\nand\ndidn't\nof\n"),
            _folder.Write("story.txt", "He said: well, Lily’s known toy! Lily")]))
        .Of(new Completion(prompt, text, 0, finished));
}
