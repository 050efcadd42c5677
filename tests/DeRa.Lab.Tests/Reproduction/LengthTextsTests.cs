using DeRa.Lab.Data;
using DeRa.Lab.Reproduction;
using DeRa.Testing;
using DeRa.Text;
using Xunit;

namespace DeRa.Lab.Tests.Reproduction;

public sealed class LengthTextsTests
{
    private static readonly ITokenizer Tokenizer = new ByteTokenizer();

    [Fact]
    public void Texts_end_with_a_sentence_after_the_drawn_length_and_the_same_seed_draws_the_same()
    {
        var stories = LengthGrammar.Texts(200, seed: 3);
        var texts = LengthTexts.Of(stories, Tokenizer, maxTokens: 90, seed: 3);
        Assert.Equal((180, 20), (texts.Training.Count, texts.Evaluation.Count));
        Assert.All(texts.Training, text => Assert.EndsWith(".", text.Text, StringComparison.Ordinal));
        // The grammar's longest sentence has 31 characters: a text ends at most so far after its draw.
        Assert.All(texts.Training, text => Assert.InRange(text.Text.Length, 10, 90 + 32));
        Assert.InRange(texts.Training.Average(text => text.Text.Length), 45, 75);
        Assert.Equal(texts.Training, LengthTexts.Of(stories, Tokenizer, maxTokens: 90, seed: 3).Training);
    }

    [Fact]
    public void A_story_without_another_sentence_end_is_kept_whole()
    {
        var texts = LengthTexts.Of([new Document("", "x."), new Document("", "no end here")], Tokenizer, maxTokens: 5, seed: 1);
        Assert.Equal("no end here", Assert.Single(texts.Training).Text);
    }
}
