using System.Globalization;
using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Cli.Sweep;

/// <summary>A summary for the terminal: a short table, the strength to take, and what makes it doubtful.</summary>
internal static class SummaryText
{
    /// <summary>Its lines.</summary>
    public static IEnumerable<string> Lines(SweepSummary summary)
    {
        var names = summary.Results.Rewards;
        yield return "alignment_strength," + string.Join(',', names.Select(name => $"{name},low,high")) + ",kl_to_reference,tokens";
        foreach (var (place, figures) in summary.Figures.Index())
            yield return $"{Text(figures.Strength)},"
                + string.Join(',', summary.Curves.Select(curve => curve.Means[place]).Select(mean =>
                    $"{Text(mean.Estimate)},{Text(mean.Low)},{Text(mean.High)}"))
                + $",{Text(figures.Kl.Estimate)},{Text(figures.Tokens)}";
        var best = summary.Recommendation.Strength;
        yield return $"{names[0]} is highest at λ = {Text(best)}.";
        if (summary.Beta is { } beta)
            yield return summary.Recommendation.Retrain(beta) is { } retrain
                ? $"To have that as one model, train once more at β/λ = {Text(retrain)}."
                : "No β/λ gives that model: λ is not above 0.";
        foreach (var warning in summary.Warnings) yield return "Warning: " + warning;
    }

    private static string Text(Interval interval) =>
        $"{Text(interval.Estimate)} (95 % interval {Text(interval.Low)} to {Text(interval.High)})";

    private static string Text(double number) => number.ToString("0.####", CultureInfo.InvariantCulture);
}
