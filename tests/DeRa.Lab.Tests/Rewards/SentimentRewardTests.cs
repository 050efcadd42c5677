using System.Globalization;
using System.Text.RegularExpressions;
using DeRa.Lab.Reports;
using DeRa.Lab.Rewards;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Rewards;

public sealed partial class SentimentRewardTests
{
    [Theory]
    [InlineData("", 0, 0)]
    [InlineData("The dog sat on the mat.", 0, 0)]
    [InlineData("The dog was happy.", 1, 0)]
    [InlineData("HAPPY, “glad”; joy!", 3, 0)]
    [InlineData("The dog was sad and cried.", 0, 2)]
    [InlineData("happy happy happy", 1, 0)]
    [InlineData("She smiled and smiles, smiling.", 1, 0)]
    [InlineData("unhappily", 0, 1)]
    [InlineData("A gladiator and a saddle", 0, 0)]
    [InlineData("He was not happy.", 0, 1)]
    [InlineData("He wasn't happy.", 0, 1)]
    [InlineData("He wasn’t happy.", 0, 1)]
    [InlineData("He never smiled and cannot play.", 0, 2)]
    [InlineData("He was not sad.", 0, 0)]
    [InlineData("He was happy, then not happy.", 1, 1)]
    [InlineData("Not a happy day", 1, 0)]
    public void Different_words_count_once_and_negation_turns_happy_ones(string text, int happy, int sad) =>
        Assert.Equal((happy - sad) / (happy + sad + 4.0), SentimentReward.Score(text), 12);

    [Fact]
    public void No_word_is_both_happy_and_sad() =>
        Assert.Empty(SentimentWords.Happy.Keys.Intersect(SentimentWords.Sad.Keys));

    [Fact]
    public void All_words_are_ones_that_a_text_can_hold() =>
        Assert.All(SentimentWords.Happy.Keys.Concat(SentimentWords.Sad.Keys), word => Assert.Matches("^[a-z]+$", word));

    [Fact]
    public void Real_stories_are_ranked_much_as_by_an_independent_lexicon()
    {
        var (stories, lexicon) = (SharedData.Find("text/tinystories-sample-2mib.txt"), SharedData.Find("sentiment/vader_lexicon.txt"));
        Assert.SkipWhen(stories is null || lexicon is null, SharedData.Missing);

        var valences = File.ReadLines(lexicon!).Select(line => line.Split('\t')).DistinctBy(columns => columns[0])
            .ToDictionary(columns => columns[0], columns => double.Parse(columns[1], CultureInfo.InvariantCulture));
        var texts = File.ReadAllText(stories!).Split(
            "<|endoftext|>", StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var correlation = RankCorrelation.Spearman(
            [.. texts.Select(SentimentReward.Score)],
            [.. texts.Select(text => Word().Matches(text.ToLowerInvariant()).Average(word => valences.GetValueOrDefault(word.Value)))]);

        Assert.True(texts.Length > 2000);
        Assert.InRange(correlation, .7, 1);
    }

    [GeneratedRegex("[a-z]+")]
    private static partial Regex Word();
}
