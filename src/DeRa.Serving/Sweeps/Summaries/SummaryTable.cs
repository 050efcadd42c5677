using System.Globalization;
using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>A summary as comma-separated values (RFC 4180), one line a strength.</summary>
public static class SummaryTable
{
    /// <summary>All figures.</summary>
    public static string ToCsv(SweepSummary summary)
    {
        var baseline = Number(summary.Results.Strengths[summary.Results.Baseline]);
        var header = new List<string> { "alignment_strength", "completions" };
        foreach (var name in summary.Results.Rewards)
            header.AddRange([name, name + "_low", name + "_high", $"{name}_above_{baseline}", $"{name}_above_{baseline}_low",
                $"{name}_above_{baseline}_high", name + "_variance_same_draws", name + "_variance_other_draws"]);
        foreach (var opponent in summary.Opponents)
        {
            var wins = $"{summary.Results.Rewards[0]}_wins_against_{Number(summary.Results.Strengths[opponent])}";
            header.AddRange([wins, wins + "_low", wins + "_high"]);
        }
        header.AddRange(["kl_to_reference", "kl_low", "kl_high", "tokens", "finished", "distinct_1", "distinct_2", "self_bleu"]);
        foreach (var name in (string[])["effective_samples", "effective_samples_from_0", "effective_samples_from_1"])
            header.AddRange([name, name + "_low", name + "_high"]);
        return Line(header) + string.Concat(summary.Figures.Select((figures, place) => Line(Cells(summary, figures, place))));
    }

    private static IEnumerable<string> Cells(SweepSummary summary, StrengthFigures figures, int place)
    {
        var numbers = new List<double> { figures.Strength, summary.Results.PromptCount * summary.Results.Samples };
        foreach (var curve in summary.Curves)
        {
            var (mean, difference, variance) = (curve.Means[place], curve.Differences[place], curve.DifferenceVariance(place));
            numbers.AddRange([mean.Estimate, mean.Low, mean.High, difference.Estimate, difference.Low, difference.High,
                variance.SameDraws, variance.OtherDraws]);
        }
        foreach (var wins in summary.Opponents.Select(opponent => summary.Wins.Of(place, opponent)))
            numbers.AddRange([wins.Estimate, wins.Low, wins.High]);
        numbers.AddRange([figures.Kl.Estimate, figures.Kl.Low, figures.Kl.High, figures.Tokens, figures.Finished,
            figures.Distinct1, figures.Distinct2, figures.SelfBleu]);
        foreach (var size in (Interval[])[figures.Effective.Own, figures.Effective.FromReference, figures.Effective.FromAligned])
            numbers.AddRange([size.Estimate, size.Low, size.High]);
        return numbers.Select(Number);
    }

    private static string Line(IEnumerable<string> cells) => string.Join(',', cells.Select(Escaped)) + "\n";

    private static string Number(double value) => double.IsNaN(value) ? "" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escaped(string cell) =>
        cell.AsSpan().IndexOfAny(",\"\r\n") < 0 ? cell : $"\"{cell.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
