using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Decoding;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

public sealed class LogProbsTests
{
    private static readonly float[] Logits = [.5f, 2, -1, 2, 0, 1.5f];

    [Fact]
    public void They_are_the_mixture_s_before_penalties_bias_temperature_and_filters()
    {
        var parameters = new SamplingParameters
        {
            Temperature = .5f,
            TopK = 1,
            RepetitionPenalty = 2,
            LogitBias = new Dictionary<int, float> { [2] = 100 },
        };
        var result = Run(Rows.Sampled(0, parameters, 5, logProbs: 6, prompt: [1]));
        Assert.Equal(2, result.Token);
        AssertAre(ReferenceSampler.LogProbs(Logits), result.LogProbs!, 2, [1, 3, 5, 0, 4, 2]);
    }

    [Fact]
    public void Equal_alternatives_come_lowest_id_first() =>
        Assert.Equal([1, 3], Run(Rows.Scored(0, 0, 2)).Score!.Top.Select(alternative => alternative.Token));

    [Fact]
    public void None_are_given_where_none_are_asked_for()
    {
        var result = Run(Rows.Sampled(0, new(), 5));
        Assert.Null(result.LogProbs);
        Assert.Null(result.Score);
        Assert.Empty(Run(Rows.Scored(0, 3)).Score!.Top);
    }

    [Fact]
    public void Rows_that_ask_for_different_things_each_get_theirs()
    {
        LogitRow[] rows =
        [
            Rows.Sampled(0, new() { Temperature = 0 }), Rows.Scored(0, 4, 3), Rows.Sampled(0, new() { Temperature = 0 }, logProbs: 1),
            Rows.Scored(0, 0), Rows.Sampled(0, new() { Temperature = 0 }, logProbs: 0) with { Score = (5, 2) },
        ];
        var results = Rows.Run([.. rows.Select(_ => Logits)], [], rows);
        var expected = ReferenceSampler.LogProbs(Logits);
        Assert.Null(results[0].LogProbs);
        AssertAre(expected, results[1].Score!, 4, [1, 3, 5]);
        AssertAre(expected, results[2].LogProbs!, 1, [1]);
        AssertAre(expected, results[3].Score!, 0, []);
        AssertAre(expected, results[4].LogProbs!, 1, []);
        AssertAre(expected, results[4].Score!, 5, [1, 3]);
    }

    private static ReadoutResult Run(LogitRow row) => Rows.Run([Logits], [], [row])[0];

    private static void AssertAre(double[] expected, TokenLogProbs found, int token, int[] top)
    {
        Assert.Equal(token, found.Token);
        Assert.Equal(expected[token], found.LogProb, 1e-6);
        Assert.Equal(top, found.Top.Select(alternative => alternative.Token));
        Assert.All(found.Top, alternative => Assert.Equal(expected[alternative.Token], alternative.LogProb, 1e-6));
    }
}
