using DeRa.Engine.Requests;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>What is read out of a row is the same to the last bit beside other rows, over a vocabulary that threads divide.</summary>
public sealed class ReadoutBatchTests
{
    private const int VocabularySize = 50_021;

    private static readonly SamplingParameters[] s_filters =
    [
        new(), new() { Temperature = 0 }, new() { TopP = .9f }, new() { MinP = .01f }, new() { TopK = 40, TopP = .5f },
        new() { TypicalP = .8f }, new() { FrequencyPenalty = .5f, Temperature = .7f, AllowedTokens = [1, 2, 3, 40_000] },
    ];

    [Theory]
    [InlineData(ReadoutPath.Kernel)]
    [InlineData(ReadoutPath.Operators)]
    public void A_row_s_token_does_not_depend_on_the_rows_beside_it(ReadoutPath path)
    {
        var random = new Random(5);
        var rows = s_filters.Select((filters, i) =>
            Rows.Sampled(i % 3 * .5, filters, Rows.Key(i), logProbs: 3, prompt: [1, 2], output: new int[6])).ToArray();
        var (reference, aligned) = (Logits(random, rows.Length), Logits(random, rows.Length));
        var together = Rows.Run(path, reference, aligned, rows, VocabularySize);
        for (var row = 0; row < rows.Length; row++)
        {
            var alone = Rows.Run(path, [reference[row]], [aligned[row]], [rows[row]], VocabularySize)[0];
            Assert.Null(alone.Error);
            Assert.Equal(alone.Token, together[row].Token);
            Assert.Equal(alone.LogProbs!.LogProb, together[row].LogProbs!.LogProb);
            Assert.Equal(alone.LogProbs.Top, together[row].LogProbs!.Top);
            if (path == ReadoutPath.Kernel) Assert.Equal(alone.ReferenceDivergence, together[row].ReferenceDivergence);
        }
    }

    private static float[][] Logits(Random random, int rows) =>
        [.. Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, VocabularySize).Select(_ => 12 * random.NextSingle()).ToArray())];
}
