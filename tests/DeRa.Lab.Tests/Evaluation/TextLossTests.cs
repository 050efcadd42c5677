using DeRa.Lab.Data;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Models;
using DeRa.Testing;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Lab.Tests.Evaluation;

public sealed class TextLossTests : IDisposable
{
    private const int Context = 24;
    private readonly TrainableDecoder _model =
        TrainableDecoder.Create(PlainShape.Of(258, hidden: 16, intermediate: 24, layers: 1, heads: 2, Context), seed: 1, CPU);

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("", "Zoë ran.", 8)]
    [InlineData("Say:", " hello", 6)]
    [InlineData("Say:", " a text that is longer than the context", Context - 5)]
    public void A_text_costs_what_its_tokens_cost_after_the_prompt(string prompt, string text, int characters)
    {
        int[] given = [.. new ByteTokenizer().Encode(prompt)];
        int[] all = [.. new[] { given, [.. new ByteTokenizer().Encode(text, addSpecialTokens: false)] }.SelectMany(part => part)
            .Take(Context)];
        var nats = Enumerable.Range(given.Length, all.Length - given.Length).Sum(i => -LogProb(all[..i], all[i]));
        var loss = TextLoss.Of(_model, new ByteTokenizer(), new Document(prompt, text));
        Assert.Equal(nats, loss.Nats, 1e-3);
        Assert.Equal((characters, all.Length - given.Length), (loss.Characters, loss.Tokens));
    }

    [Fact]
    public void A_text_behind_a_prompt_that_fills_the_context_counts_nothing() =>
        Assert.Equal(new TextLoss(0, 0, 0), TextLoss.Of(_model, new ByteTokenizer(), new Document(new string('x', 100), "text")));

    [Fact]
    public void A_new_model_knows_next_to_nothing()
    {
        var loss = TextLoss.Of(_model, new ByteTokenizer(), new Document("", "hello there"));
        Assert.Equal(Math.Log(258), loss.Nats / loss.Tokens, 0.1);
    }

    /// <summary>log p(token | tokens before), by the logits alone and in float64.</summary>
    private double LogProb(int[] before, int token)
    {
        var logits = Sampling.TinyDecoder.Logits(_model, before);
        return logits[token] - Math.Log(logits.Sum(Math.Exp));
    }
}
