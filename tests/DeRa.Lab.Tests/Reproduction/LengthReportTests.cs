using System.Globalization;
using DeRa.Lab.Evaluation;
using DeRa.Lab.Reproduction;
using DeRa.Serving.Statistics;
using DeRa.Testing;
using Xunit;

namespace DeRa.Lab.Tests.Reproduction;

public sealed class LengthReportTests
{
    private static readonly LengthSettings Settings = new() { Strengths = [0, 1, 2], EvaluationCompletions = 4, Beta = 0.5 };

    /// <summary>
    /// Three of eight in range; by eq. 2 the odds of 0.6 grow by e² at β/λ = 0.5, to a share of 0.81596, and by e⁴ at 0.25,
    /// to 0.97038.
    /// </summary>
    [Fact]
    public void The_closed_form_is_the_optimum_of_the_share_in_range()
    {
        var csv = Write([Results([-0.6, -0.4, -0.2])], out _);
        Assert.Equal([-0.625, -0.18404, -0.02962],
            csv.Select(row => double.Parse(row[7], CultureInfo.InvariantCulture)), (a, b) => Math.Abs(a - b) < 1e-4);
    }

    [Fact]
    public void The_summary_names_gaps_rank_correlation_and_best_strengths()
    {
        Write([Results([-0.6, -0.4, -0.2])], out var text);
        // DeRa −.6, −.4, −.2; retrained −.6, −.3, −.1: the largest gap on [0, 1] is at 1.
        Assert.Contains(
            "rank correlation of DeRa and retrained 1.000; largest gap on [0, 1] 0.100, at any strength 0.100", text,
            StringComparison.Ordinal);
        Assert.Contains("best strength: DeRa 2, interpolated 0, DPO pair 1", text, StringComparison.Ordinal);
    }

    private static string[][] Write(LengthResults[] seeds, out string text)
    {
        using var folder = new TemporaryFolder();
        var output = new StringWriter();
        new LengthReport(Settings, seeds).Write(folder.Path, output);
        text = output.ToString();
        return [.. File.ReadAllLines(Path.Combine(folder.Path, "length.csv")).Skip(1).Select(line => line.Split(','))];
    }

    private static LengthResults Results(double[] deRa) => new(
        Curve(deRa), Curve([deRa[0], deRa[1] + 0.1, deRa[2] + 0.1]), Curve([-0.5, -0.6, -0.7]), Curve([-0.9, -0.1, -0.5]));

    private static SortedDictionary<double, StrengthEvaluation> Curve(double[] rewards) =>
        new(Settings.Strengths.Zip(rewards).ToDictionary(point => point.First, point => Evaluation(point.First, point.Second)));

    private static StrengthEvaluation Evaluation(double strength, double reward) => new(
        Interval.Exact(reward), Interval.Exact(45), strength == 0 ? [0, -1, -1, -1, 0, 0, -1, -1] : [.. Enumerable.Repeat(reward, 8)], 4);
}
