using DeRa.Serving.Rewards;
using Xunit;

namespace DeRa.Serving.Tests.Rewards;

public sealed class SentimentRewardTests
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
}
