using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

public sealed class WinRatesTests
{
    [Fact]
    public void Completions_with_the_same_draws_are_compared_and_ties_count_half()
    {
        // Of each prompt two samples at λ = 0, then two at λ = 1: 2 > 1, 3 = 3; 0 < 4 and one without a score; 5 > 4, 6 > 1.
        var wins = new WinRates(Results([[1, 3, 2, 3], [4, 1, 0, null], [4, 1, 5, 6]]), 0);
        var rate = wins.Of(1, 0);
        Assert.Equal(3.5 / 5, rate.Estimate, 1e-12);
        Assert.Equal(0, rate.Low, 1e-12);
        Assert.Equal(1, rate.High, 1e-12);
        var mirrored = wins.Of(0, 1);
        Assert.Equal(1 - rate.Estimate, mirrored.Estimate, 1e-12);
        Assert.Equal(1 - rate.Low, mirrored.High, 1e-12);
        Assert.Equal(.5, wins.Of(1, 1).Estimate);
    }

    [Fact]
    public void More_prompts_make_the_interval_narrow()
    {
        // Three of four prompts are won: the binomial's standard error is √(.75·.25/400).
        var scores = Enumerable.Range(0, 400).Select(i => i % 4 == 0 ? 0 : 2).Select(won => (double?[])[1, 1, won, won]);
        var rate = new WinRates(Results([.. scores]), 0).Of(1, 0);
        Assert.Equal(.75, rate.Estimate, 1e-12);
        Assert.Equal(.75 - 1.96 * .02165, rate.Low, .01);
        Assert.Equal(.75 + 1.96 * .02165, rate.High, .01);
    }

    [Fact]
    public void Without_scores_there_is_no_rate() =>
        Assert.Equal(double.NaN, new WinRates(Results([[1, null, null, 2]]), 0).Of(0, 1).Estimate);

    private static SweepResults Results(double?[][] scores) => new([0, 1], 2, ["r"],
        [.. scores.SelectMany((own, prompt) => own.Select((score, i) => new SweepRow
        {
            PromptIndex = prompt,
            Prompt = "Once",
            Strength = i / 2,
            Sample = i % 2,
            Seed = prompt,
            Completion = "upon a time",
            Tokens = 3,
            IsFinished = true,
            Kl = 0,
            Rewards = [score],
        }))]);
}
