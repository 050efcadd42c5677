using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

public sealed class RowFaultTests
{
    private static readonly float[] Healthy = [1, 3, 2];

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "+infinity")]
    public void A_row_that_is_not_finite_fails_alone(float bad, string named)
    {
        LogitRow[] rows =
        [
            Rows.Sampled(0, new(), 5, 2), Rows.Sampled(0, new() { TopP = .9f }, 5, 2), Rows.Sampled(0, new() { Temperature = 0 }, 0, 2),
            Rows.Scored(0, 1, 1),
        ];
        for (var broken = 0; broken < rows.Length; broken++)
        {
            var logits = rows.Select((_, row) => row == broken ? [1, bad, 2] : Healthy).ToArray();
            var results = Rows.Run(logits, [], rows);
            Assert.Contains("logits are not finite", results[broken].Error, StringComparison.Ordinal);
            Assert.Contains(named, results[broken].Error, StringComparison.Ordinal);
            AssertOthersAreHealthy(results, rows, broken);
        }
    }

    [Fact]
    public void A_row_without_any_possible_token_fails()
    {
        var none = float.NegativeInfinity;
        var result = Rows.Run([[none, none, none]], [], [Rows.Sampled(0, new(), 5)])[0];
        Assert.Equal("logits are not finite: the mixture holds only -infinity", result.Error);
    }

    [Fact]
    public void A_mixture_that_overflows_fails()
    {
        var result = Rows.Run([[0, -3e38f, 0]], [[0, 3e38f, 0]], [Rows.Sampled(10, new(), 5)])[0];
        Assert.Contains("logits are not finite", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    public void A_token_outside_the_vocabulary_fails_its_row_by_name(int token)
    {
        LogitRow[] rows =
        [
            Rows.Scored(0, token, 1),
            Rows.Sampled(0, new() { LogitBias = new Dictionary<int, float> { [token] = 1 } }, 5, 1),
            Rows.Sampled(0, new() { PresencePenalty = 1 }, 5, 1, prompt: [0], output: [token]),
            Rows.Scored(0, 1, 1),
        ];
        var results = Rows.Run([.. rows.Select(_ => Healthy)], [], rows);
        string[] named = ["the token to score", "logit_bias", "an earlier token"];
        for (var row = 0; row < 3; row++)
        {
            Assert.Contains(named[row], results[row].Error, StringComparison.Ordinal);
            Assert.Contains($"{token}, is outside the vocabulary [0, 3)", results[row].Error, StringComparison.Ordinal);
        }
        Assert.Null(results[3].Error);
        Assert.Equal(1, results[3].Score!.Top[0].Token);
    }

    private static void AssertOthersAreHealthy(ReadoutResult[] results, LogitRow[] rows, int broken)
    {
        for (var row = 0; row < rows.Length; row++)
        {
            if (row == broken) continue;
            Assert.Null(results[row].Error);
            Assert.Equal(1, (results[row].LogProbs ?? results[row].Score)!.Top[0].Token);
            Assert.Equal(-.407606, (results[row].LogProbs ?? results[row].Score)!.Top[0].LogProb, 1e-5);
        }
    }
}
