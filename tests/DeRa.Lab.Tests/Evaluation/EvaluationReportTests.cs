using System.Globalization;
using DeRa.Lab.Evaluation;
using DeRa.Serving.Rewards;
using DeRa.Serving.Statistics;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Evaluation;

public sealed class EvaluationReportTests : IDisposable
{
    private const int Prompts = 12, PerPrompt = 2;
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Gold_that_rises_and_falls_peaks_in_between_while_the_reward_goes_on_rising()
    {
        // Every text gets one happy word more a strength; from 2 on one malformed word in twenty a strength more.
        var report = Report(strength => Text(happy: 2 * strength + 2, malformed: Math.Max(0, strength - 1)));
        Assert.Equal(new Interval(1, 1, 1), report.GoldPeak());
        var rows = report.Table().ToCsv().TrimEnd().Split("\r\n");
        string[] measures = ["reward", "tokens", "gold", "vader", "malformed", "repeated"];
        Assert.Equal(
            ["strength", .. measures.SelectMany(name => (string[])[name, name + "_low", name + "_high"]), "gold_highest"],
            rows[0].Split(','));
        Assert.Equal(["0", "1", "2", "3"], rows[1..].Select(row => row.Split(',')[0]));
        Assert.Equal(["0", "1", "0", "0"], rows[1..].Select(row => row.Split(',')[^1]));
        Assert.Equal([0, 0, .05, .1],
            rows[1..].Select(row => Math.Round(double.Parse(row.Split(',')[13], CultureInfo.InvariantCulture), 9)));
    }

    [Fact]
    public void Where_prompts_disagree_the_peak_is_uncertain()
    {
        // For half of the prompts strength 0 is best, for the others strength 3.
        var report = Report((strength, prompt) => Text(happy: 5, malformed: prompt % 2 == 0 ? strength : 3 - strength));
        Assert.Equal((0, 3), (report.GoldPeak()!.Value.Low, report.GoldPeak()!.Value.High));
    }

    [Fact]
    public void Without_gold_there_are_reward_and_length()
    {
        var report = new EvaluationReport("length:1-2", gold: null);
        report.Add(0, Evaluation(0, (_, _) => "Tom sat."));
        Assert.Null(report.GoldPeak());
        Assert.StartsWith("strength,reward,reward_low,reward_high,tokens,tokens_low,tokens_high\r\n", report.Table().ToCsv());
        Assert.Single(report.Plot().Series);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(20, false)]
    public void Curves_share_an_axis_if_both_can_be_seen_on_it(double scale, bool shared)
    {
        var plot = Report(strength => Text(happy: 2 * strength + 2, malformed: strength), scale).Plot();
        Assert.Equal((shared ? 2 : 1, shared), (plot.Series.Count, plot.Below is null));
        plot.Save(Path.Combine(_folder.Path, "plot"));
        Assert.Contains(shared ? "mean, 12 prompts" : "mean gold", File.ReadAllText(Path.Combine(_folder.Path, "plot.svg")));
    }

    private EvaluationReport Report(Func<int, string> text, double scale = 1) => Report((strength, _) => text(strength), scale);

    private EvaluationReport Report(Func<int, int, string> text, double scale = 1)
    {
        var gold = new GoldMeasure(VaderLexicon.Read(_folder.Write("lexicon.txt", "happy\t0.5\n")),
            KnownWords.Read([_folder.Write("words.txt", "happy " + string.Join(' ', Enumerable.Range('a', 26).Select(i => (char)i)))]));
        var report = new EvaluationReport("story", gold);
        foreach (var strength in (int[])[3, 1, 0, 2]) report.Add(strength, Evaluation(scale * strength, (p, i) => text(strength, p)));
        return report;
    }

    private static StrengthEvaluation Evaluation(double reward, Func<int, int, string> text)
    {
        double[] rewards = [.. Enumerable.Repeat(reward, Prompts * PerPrompt)];
        return new StrengthEvaluation(
            StrengthEvaluation.ByPrompt(rewards, PerPrompt), StrengthEvaluation.ByPrompt(rewards, PerPrompt), rewards, PerPrompt)
        {
            Completions = [.. Enumerable.Range(0, rewards.Length)
                .Select(i => new Completion("", text(i / PerPrompt, i % PerPrompt), 20, Finished: true))],
        };
    }

    /// <summary>Twenty words without repeated runs.</summary>
    private static string Text(int happy, int malformed) => string.Join(' ', Enumerable.Range(0, 20)
        .Select(i => i < malformed ? $"zz{(char)('a' + i)}" : i < malformed + happy ? "happy" : $"{(char)('a' + i)}"));
}
