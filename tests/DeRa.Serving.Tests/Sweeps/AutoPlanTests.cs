using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Plans;
using DeRa.Serving.Sweeps.Summaries;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

public sealed class AutoPlanTests : IDisposable
{
    private const double Step = .1;

    private static readonly SweepSettings s_settings = new()
    {
        Strengths = [.. Enumerable.Range(0, 31).Select(i => Math.Round(i * Step, 9))],
        Samples = 4,
        MaxTokens = 2,
    };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1.4, .05)]
    [InlineData(.3, .3)]
    [InlineData(2.2, 1)]
    [InlineData(0, .05)]
    [InlineData(3, .05)]
    public async Task It_finds_the_strength_of_the_whole_grid_with_at_most_half_the_completions(double peak, double noise)
    {
        double? Curve(double strength, long seed) => -(strength - peak) * (strength - peak);
        var (whole, _, all) = await RunAsync("whole", new GridPlan(s_settings, 160), Curve, noise);
        var search = new AutoPlan(s_settings, 160);
        var (found, _, some) = await RunAsync("search", search, Curve, noise);
        var interval = found.Recommendation.Strength;
        Assert.InRange(interval.Estimate, whole.Recommendation.Strength.Estimate - Step - 1e-9,
            whole.Recommendation.Strength.Estimate + Step + 1e-9);
        Assert.InRange(whole.Recommendation.Strength.Estimate, interval.Low - Step - 1e-9, interval.High + Step + 1e-9);
        Assert.Equal(160 * s_settings.Choices, all);
        Assert.InRange(some, 1, all / 2);
        Assert.Equal(peak is 0 or 3, found.Recommendation.IsAtEdge);
    }

    [Fact]
    public async Task A_sharp_curve_is_sure_before_all_prompts_are_used_and_a_flat_one_never()
    {
        var sharp = new AutoPlan(s_settings, 160);
        var (found, _, few) = await RunAsync("sharp", sharp, (strength, _) => -Math.Abs(strength - 1.7), .05);
        Assert.True(sharp.IsSure);
        Assert.InRange(sharp.PromptsUsed, 20, 80);
        Assert.Equal(1.7, found.Recommendation.Strength.Estimate);
        Assert.Contains(1, found.Results.Strengths);
        var flat = new AutoPlan(s_settings, 160);
        var (_, _, many) = await RunAsync("flat", flat, (_, _) => 0, 1);
        Assert.False(flat.IsSure);
        Assert.Equal(160, flat.PromptsUsed);
        Assert.InRange(many, few, 160 * s_settings.Choices / 2);
    }

    [Fact]
    public async Task What_is_there_is_not_run_again_and_the_bytes_are_the_same()
    {
        static double? Curve(double strength, long seed) => -(strength - 1.2) * (strength - 1.2);
        var (_, _, all) = await RunAsync("whole", new AutoPlan(s_settings, 40), Curve, .3);
        var (results, file) = (await BytesAsync("whole"), Path.Combine(_folder.Path, "stopped/results.jsonl"));
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.Copy(Path.Combine(_folder.Path, "whole/settings.json"), Path.Combine(_folder.Path, "stopped/settings.json"));
        foreach (var length in (int[])[0, 100, results.Length / 5, results.Length / 2, results.Length - 1, results.Length])
        {
            await File.WriteAllBytesAsync(file, results[..length], TestContext.Current.CancellationToken);
            var (_, generated, rows) = await RunAsync("stopped", new AutoPlan(s_settings, 40), Curve, .3);
            Assert.Equal(results, await BytesAsync("stopped"));
            Assert.Equal(all, rows);
            Assert.InRange(generated, all * (1 - (double)length / results.Length) - 1, all);
            Assert.Equal(length == results.Length, generated == 0);
        }
    }

    [Fact]
    public async Task Strengths_that_are_left_have_run_on_the_same_prompts()
    {
        var search = new AutoPlan(s_settings, 40);
        var (found, _, _) = await RunAsync("search", search, (strength, _) => -(strength - 2) * (strength - 2), .5);
        var results = found.Results;
        Assert.Equal(search.PromptsUsed, results.PromptCount);
        for (var prompt = 0; prompt < results.PromptCount; prompt++)
            for (var strength = 0; strength < results.Strengths.Count; strength++)
                Assert.Equal((prompt, results.Strengths[strength], 3), Place(results.Row(prompt, strength, 3)));
        var csv = StandingTable.ToCsv(search.Standings).Split('\n');
        Assert.Equal("round,prompts,alignment_strength,mean,above_best,above_best_low,above_best_high,standing", csv[0]);
        Assert.StartsWith("1,8,0,", csv[1], StringComparison.Ordinal);
        Assert.EndsWith(",worse", csv[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Prompts_without_a_score_are_left_out()
    {
        static double? Curve(double strength, long seed) => seed % 4 == 1 ? null : -(strength - 1.2) * (strength - 1.2);
        var (found, _, _) = await RunAsync("some", new AutoPlan(s_settings, 40), Curve, .05);
        Assert.Equal(1.2, found.Recommendation.Strength.Estimate, Step + 1e-9);
        await Assert.ThrowsAsync<RewardException>(() => RunAsync("none", new AutoPlan(s_settings, 40), (_, _) => null, 0));
    }

    private static (int, double, int) Place(SweepRow row) => (row.PromptIndex, row.Strength, row.Sample);

    private Task<byte[]> BytesAsync(string folder) =>
        File.ReadAllBytesAsync(Path.Combine(_folder.Path, folder, "results.jsonl"), TestContext.Current.CancellationToken);

    /// <returns>The summary, completions that were generated, and all rows.</returns>
    private async Task<(SweepSummary Summary, int Generated, int Rows)> RunAsync(
        string folder, ISweepPlan plan, Func<double, long, double?> curve, double noise)
    {
        using var reward = new ScriptedReward(curve, noise);
        var endpoint = new ScriptedEndpoint();
        using var saved = SweepFolder.Open(Path.Combine(_folder.Path, folder), new Dictionary<string, string>(), isNew: false);
        var sweep = new PlannedSweep(
            new SweepRun(endpoint, [reward], s_settings, _ => { }), plan, saved, s_settings.Samples, [reward.Name]);
        var prompts = Enumerable.Range(0, 160)
            .Select(i => new SweepPrompt(new TextPrompt("Once"), "Once", $"prompts:{i}")).ToList();
        var rows = await sweep.RunAsync(prompts, (_, _) => { }, () => { }, TestContext.Current.CancellationToken);
        return (new SweepSummary(plan.Results(rows, [reward.Name]), null), endpoint.Generated, rows.Count);
    }
}
