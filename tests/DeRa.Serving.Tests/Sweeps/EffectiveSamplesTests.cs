using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

/// <summary>
/// Two letters, two tokens: all four texts once at each strength, with the probabilities of method and paper. The exact mixture of whole
/// texts, which the weights lead to, is known.
/// </summary>
public sealed class EffectiveSamplesTests
{
    private static readonly double[] s_strengths = [0, .5, 1, 2];
    private static readonly double[] s_reference = [.25, .25, .25, .25], s_aligned = [.45, .05, .25, .25];

    private static readonly double[][] s_perToken =
        [s_reference, [.375, .125, .25, .25], s_aligned, [.493902, .006098, .25, .25]];

    private static readonly double[][] s_exact =
        [s_reference, [.354102, .118034, .263932, .263932], s_aligned, [.613636, .007576, .189394, .189394]];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Sizes_are_those_of_the_ratios_of_known_distributions(int strength)
    {
        var sizes = EffectiveSamples.Of(Results(), strength);
        Assert.Equal(Expected(s_perToken[strength], s_exact[strength]), sizes.Own.Estimate, 1e-4);
        Assert.Equal(Expected(s_reference, s_exact[strength]), sizes.FromReference.Estimate, 1e-4);
        Assert.Equal(Expected(s_aligned, s_exact[strength]), sizes.FromAligned.Estimate, 1e-4);
        Assert.InRange(sizes.Own.Estimate, 1, 4);
    }

    [Fact]
    public void A_size_counts_what_weights_are_worth()
    {
        Assert.Equal(1.6, EffectiveSamples.Size([0, Math.Log(3)]), 1e-12);
        Assert.Equal(1.6, EffectiveSamples.Size([2000, 2000 + Math.Log(3)]), 1e-9);
        Assert.Equal(3, EffectiveSamples.Size([-7, -7, -7]), 1e-12);
        Assert.Equal(1, EffectiveSamples.Size([0, -9999]), 1e-12);
    }

    [Fact]
    public void It_is_not_known_of_filtered_draws_one_sample_or_rows_without_log_probabilities()
    {
        var results = Results();
        SweepResults[] unknown =
        [
            results with { AreDrawnByMixture = false },
            results with { Rows = [.. results.Rows.Select(row => row with { LogProbs = null })] },
            results with { Samples = 1, Rows = [.. results.Rows.Where(row => row.Sample == 0)] },
        ];
        Assert.All(unknown, one => Assert.Equal(double.NaN, EffectiveSamples.Of(one, 1).Own.Estimate));
        var fewer = results with { Strengths = [.5, 2], Rows = [.. results.Rows.Where(row => row.Strength is .5 or 2)] };
        Assert.Equal(double.NaN, EffectiveSamples.Of(fewer, 0).FromReference.Estimate);
        Assert.Equal(double.NaN, EffectiveSamples.Of(fewer, 0).FromAligned.Estimate);
        Assert.Equal(EffectiveSamples.Of(results, 3).Own, EffectiveSamples.Of(fewer, 1).Own);
    }

    [Fact]
    public void Beyond_one_few_effective_samples_are_warned_of()
    {
        var results = Results();
        Assert.DoesNotContain(new SweepSummary(results, null).Warnings, IsOfEffectiveSize);
        var uneven = results with
        {
            Rows = [.. results.Rows.Select(row => row with { LogProbs = row.LogProbs! with { Mixture = 5 * row.Sample * row.Strength } })],
        };
        Assert.Contains(new SweepSummary(uneven, null).Warnings, warning => IsOfEffectiveSize(warning)
            && warning.StartsWith("λ = 2 lies beyond", StringComparison.Ordinal)
            && warning.Contains("the 4 completions of a prompt count as 1,", StringComparison.Ordinal));
        var lower = uneven with { Rows = [.. uneven.Rows.Select(row => row with { Rewards = [-row.Strength] })] };
        Assert.DoesNotContain(new SweepSummary(lower, null).Warnings, IsOfEffectiveSize);
    }

    private static bool IsOfEffectiveSize(string warning) => warning.Contains("effective sample size", StringComparison.Ordinal);

    private static double Expected(double[] drawn, double[] target)
    {
        var weights = target.Zip(drawn, (there, here) => there / here).ToArray();
        return weights.Sum() * weights.Sum() / weights.Sum(weight => weight * weight);
    }

    private static SweepResults Results() => new(s_strengths, 4, ["r"],
        [.. from strength in Enumerable.Range(0, s_strengths.Length)
            from sample in Enumerable.Range(0, 4)
            select new SweepRow
            {
                PromptIndex = 0,
                Prompt = "Once",
                Strength = s_strengths[strength],
                Sample = sample,
                Seed = 0,
                Completion = "upon a time",
                Tokens = 2,
                IsFinished = true,
                Kl = 0,
                LogProbs = new SequenceLogProbs(
                    Math.Log(s_perToken[strength][sample]), Math.Log(s_reference[sample]), Math.Log(s_aligned[sample])),
                Rewards = [s_strengths[strength]],
            }]);
}
