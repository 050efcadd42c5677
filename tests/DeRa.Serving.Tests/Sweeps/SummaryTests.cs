using System.Globalization;
using DeRa.Serving.Rewards;
using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

public sealed class SummaryTests
{
    private static readonly double[] s_strengths = [0, .5, 1, 1.5, 2];

    [Fact]
    public void Means_distances_and_the_highest_strength_are_those_of_the_rows()
    {
        var summary = new SweepSummary(Results(40, 4, ["proxy"], (strength, _, noise) => [-(strength - 1) * (strength - 1) + noise]), .1);
        Assert.Equal(-1, summary.Curves[0].Means[0].Estimate, .3);
        Assert.Equal(2, summary.Figures[2].Distance, 1e-12);
        Assert.Equal(new Interval(1, 1, 1), summary.Recommendation.Strength);
        Assert.Equal(.1, summary.Recommendation.Retrain(.1)!.Value.Estimate, 1e-12);
        Assert.False(summary.Recommendation.IsAtEdge);
        Assert.Empty(summary.Warnings);
        Assert.Equal([0, 1, 2], summary.ParetoFront);
    }

    [Fact]
    public void The_same_draws_make_differences_surer()
    {
        var curve = new SweepSummary(Results(50, 4, ["proxy"], (strength, _, noise) => [strength + noise]), null).Curves[0];
        var (same, other) = curve.DifferenceVariance(0);
        Assert.InRange(same, 0, 1e-12);
        Assert.InRange(other, .1, 1);
        Assert.Equal(-1, curve.Differences[0].Low, 1e-9);
        Assert.Equal(-1, curve.Differences[0].High, 1e-9);
    }

    [Fact]
    public void An_edge_few_prompts_and_over_optimisation_are_warned_of()
    {
        var results = Results(10, 2, ["proxy", "gold"], (strength, _, noise) => [strength, strength <= 1 ? strength : 2 - strength]);
        var warnings = new SweepSummary(results, null).Warnings;
        Assert.Contains(warnings, warning => warning.Contains("an edge of the strengths", StringComparison.Ordinal));
        Assert.Contains(warnings, warning => warning.Contains("only 10 prompts", StringComparison.Ordinal));
        Assert.Contains("Over-optimisation: gold is highest at λ = 1, and where proxy is highest, at λ = 2, it has fallen from 1 to 0.",
            warnings);
    }

    [Fact]
    public void A_prompt_without_a_score_at_a_strength_is_left_out()
    {
        var results = Results(3, 1, ["r"], (strength, prompt, _) => [prompt == 1 && strength == 2 ? null : prompt]);
        var curve = new RewardCurve(results, 0);
        Assert.All(curve.Means, mean => Assert.Equal(1, mean.Estimate));
        Assert.Equal(1, curve.Failed);
        Assert.Throws<RewardException>(() => new RewardCurve(Results(2, 1, ["r"], (_, _, _) => [null]), 0));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(5)]
    public void Best_of_n_is_the_mean_over_all_subsets(int n)
    {
        double[] scores = [.3, -1, 2, .3, .7];
        var results = Results(1, scores.Length, ["r"], (_, _, _) => [0]);
        results = results with { Rows = [.. results.Rows.Select(row => row with { Rewards = [scores[row.Sample]] })] };
        var subsets = Enumerable.Range(0, 1 << scores.Length).Where(subset => int.PopCount(subset) == n)
            .Select(subset => scores.Where((_, i) => (subset >> i & 1) == 1).Max());
        Assert.Equal(subsets.Average(), new RewardCurve(results, 0).BestOf(0, n), 1e-12);
    }

    [Fact]
    public void The_fit_finds_the_curve_that_made_the_points()
    {
        var truth = new KlFit(1.3, .4, 1);
        var fit = KlFit.Of(Enumerable.Range(0, 12).Select(i => (i * .5, truth.Gain(i * .5))))!;
        Assert.Equal(truth.A, fit.A, 1e-9);
        Assert.Equal(truth.B, fit.B, 1e-9);
        Assert.Equal(1, fit.RSquared, 1e-9);
        var peak = fit.Peak!.Value;
        Assert.True(fit.Gain(peak) > fit.Gain(peak * .99) && fit.Gain(peak) > fit.Gain(peak * 1.01));
        Assert.Null(KlFit.Of([(0, 0), (1, 1), (2, 1)]));
    }

    [Fact]
    public void Every_line_of_the_table_has_all_columns()
    {
        var results = Results(4, 2, ["proxy", "gold"], (strength, _, noise) => [strength == 1.5 ? 1 : noise, null]);
        results = results with { Rows = [.. results.Rows.Select(row => row with { Rewards = [row.Rewards[0], row.Strength] })] };
        var lines = SummaryTable.ToCsv(new SweepSummary(results, null)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split(',')).ToList();
        Assert.Equal(1 + s_strengths.Length, lines.Count);
        Assert.All(lines, line => Assert.Equal(lines[0].Length, line.Length));
        var best = lines[4].Zip(lines[0]).ToDictionary(cell => cell.Second, cell => cell.First);
        Assert.Equal(("1.5", "1", "1", "0.5"), (best["alignment_strength"], best["proxy_wins_against_0"], best["proxy_wins_against_1_low"],
            best["proxy_wins_against_1.5"]));
        // Three equal words, and no run of four.
        Assert.Equal(Math.Pow(.1, .25), double.Parse(best["self_bleu"], CultureInfo.InvariantCulture), 1e-12);
        Assert.Equal("", best["effective_samples_low"]);
    }

    [Fact]
    public void Distinct_runs_of_words_are_counted_over_all_texts()
    {
        Assert.Equal(3 / 5.0, DistinctWords.Share(["a b a", " b\nc "], 1));
        Assert.Equal(3 / 3.0, DistinctWords.Share(["a b a", "b c"], 2));
        Assert.Equal(double.NaN, DistinctWords.Share(["a"], 2));
    }

    [Fact]
    public void A_strength_whose_interval_touches_0_has_no_upper_bound_of_beta()
    {
        var recommendation = new Recommendation([0, 1, 2], [.1, .8, .1], [Exact(0), Exact(2), Exact(1)]);
        Assert.Equal(new Interval(1, 0, 2), recommendation.Strength);
        Assert.Equal(new Interval(.5, .25, double.PositiveInfinity), recommendation.Retrain(.5));
        Assert.Null(new Recommendation([0, 1], [1, 0], [Exact(1), Exact(0)]).Retrain(.5));
    }

    [Fact]
    public void A_row_comes_back_from_its_line()
    {
        var row = Results(1, 1, ["a", "b"], (_, _, _) => [1.5, null]).Rows[0] with { Completion = "She said “é”\n\"ok\"" };
        var back = SweepRow.Parse(row.ToJson(["a", "b"]), ["a", "b"]);
        Assert.Equal(row with { Rewards = [] }, back with { Rewards = [] });
        Assert.Equal(row.Rewards, back.Rewards);
        var scored = row with { LogProbs = new SequenceLogProbs(-1.5, -2.25, -1) };
        Assert.Equal(scored with { Rewards = [] }, SweepRow.Parse(scored.ToJson(["a", "b"]), ["a", "b"]) with { Rewards = [] });
        Assert.Throws<FormatException>(() => SweepRow.Parse("{\"prompt_index\":0}", ["a"]));
        Assert.Throws<FormatException>(() => SweepRow.Parse("{", ["a"]));
    }

    private static Interval Exact(double value) => Interval.Exact(value);

    /// <summary>Rows whose KL is 4λ², with rewards of strength, prompt and a draw that is the same at all strengths.</summary>
    private static SweepResults Results(
        int prompts, int samples, string[] rewards, Func<double, int, double, double?[]> score) => new(s_strengths, samples, rewards,
        [.. from prompt in Enumerable.Range(0, prompts)
            from strength in s_strengths
            from sample in Enumerable.Range(0, samples)
            select new SweepRow
            {
                PromptIndex = prompt,
                Prompt = "Once",
                Strength = strength,
                Sample = sample,
                Seed = prompt,
                Completion = "upon a time",
                Tokens = 3,
                IsFinished = true,
                Kl = 4 * strength * strength,
                Rewards = score(strength, prompt, new Random(prompt * samples + sample).NextDouble() - .5),
            }]);
}
