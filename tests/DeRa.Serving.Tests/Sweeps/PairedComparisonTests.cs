using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

public sealed class PairedComparisonTests
{
    [Fact]
    public void Prompts_are_compared_with_themselves()
    {
        // Prompts differ far more from each other than the two do; the second is above by 1, 2, 3, …, but once by −1.
        double[] above = [1, 2, 3, 4, 5, 6, 7, -1];
        var scores = above.Select((difference, i) => (100.0 * i, (double?)(100.0 * i + difference)));
        var comparison = new PairedComparison(Results([.. scores]), 0);
        Assert.Equal(350, comparison.First.Estimate, 1e-9);
        Assert.Equal(353.375, comparison.Second.Estimate, 1e-9);
        Assert.Equal(3.375, comparison.Difference.Estimate, 1e-9);
        Assert.InRange(comparison.Difference.Low, .5, 3);
        Assert.InRange(comparison.Difference.High, 3.5, 6);
        // Their sum is 27. With all signs plus it would be 29, with either 1 turned 27, with any other 25 or less: 3 ways on a side.
        Assert.Equal(2 * 3 / 256.0, comparison.PValue, 1e-12);
        Assert.Equal(7 / 8.0, comparison.Wins.Estimate, 1e-12);
        Assert.Equal((8, 0), (comparison.Prompts, comparison.Failed));
    }

    [Fact]
    public void A_prompt_without_a_score_of_both_is_left_out()
    {
        var comparison = new PairedComparison(Results([(1, 2), (50, null), (3, 3)]), 0);
        Assert.Equal(2, comparison.First.Estimate, 1e-12);
        Assert.Equal(.5, comparison.Difference.Estimate, 1e-12);
        Assert.Equal(.75, comparison.Wins.Estimate, 1e-12);
        Assert.Equal((2, 1), (comparison.Prompts, comparison.Failed));
    }

    [Fact]
    public void Two_are_compared() => Assert.Throws<ArgumentException>(
        () => new PairedComparison(Results([(1, 2)]) with { Strengths = [1] }, 0));

    private static SweepResults Results((double First, double? Second)[] scores) => new([1, 1], 1, ["r"],
        [.. scores.SelectMany((own, prompt) => ((double?[])[own.First, own.Second]).Select(score => new SweepRow
        {
            PromptIndex = prompt,
            Prompt = "Once",
            Strength = 1,
            Sample = 0,
            Seed = prompt,
            Completion = "upon a time",
            Tokens = 3,
            IsFinished = true,
            Kl = 0,
            Rewards = [score],
        }))]);
}
