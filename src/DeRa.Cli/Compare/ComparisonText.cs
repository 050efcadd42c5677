using System.Globalization;
using DeRa.Cli.Columns;
using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Cli.Compare;

/// <summary>A comparison for the terminal: a table, what it says, and completions side by side.</summary>
internal static class ComparisonText
{
    private const int ColumnWidth = 56, FewPrompts = 20;
    private const double Significance = .05;

    /// <summary>Its lines.</summary>
    /// <param name="comparison">The comparison.</param>
    /// <param name="shown">Prompts whose completions are shown.</param>
    public static IEnumerable<string> Lines(Comparison comparison, int shown)
    {
        yield return "reward,first,low,high,second,low,high,second_above_first,low,high,p,second_wins,low,high";
        foreach (var reward in comparison.Rewards)
            yield return $"{reward.Name},{Cells(reward.First)},{Cells(reward.Second)},{Cells(reward.Difference)},{Text(reward.PValue)},"
                + Cells(reward.Wins);
        foreach (var (place, figures) in comparison.Figures.Index())
            yield return $"{Name(place)}: λ = {Text(figures.Strength)}, KL from its reference {Text(figures.Kl.Estimate)} nats, "
                + $"{Text(figures.Tokens)} tokens.";
        foreach (var reward in comparison.Rewards) yield return Sentence(reward);
        foreach (var warning in Warnings(comparison)) yield return "Warning: " + warning;
        for (var prompt = 0; prompt < Math.Min(shown, comparison.Results.PromptCount); prompt++)
            foreach (var line in SideBySide(comparison.Results, prompt)) yield return line;
    }

    private static string Sentence(PairedComparison reward)
    {
        var test = $"(95 % interval {Text(reward.Difference.Low)} to {Text(reward.Difference.High)}; p = {Text(reward.PValue)} by flips of "
            + $"signs over {reward.Prompts} prompts)";
        return reward.PValue < Significance
            ? $"The second's {reward.Name} is {(reward.Difference.Estimate > 0 ? "higher" : "lower")} by "
                + $"{Text(Math.Abs(reward.Difference.Estimate))} {test}."
            : $"No difference of {reward.Name} is shown: the second's is {Text(reward.Difference.Estimate)} above the first's {test}.";
    }

    private static IEnumerable<string> Warnings(Comparison comparison)
    {
        if (comparison.Results.PromptCount < FewPrompts)
            yield return $"There are only {comparison.Results.PromptCount} prompts: intervals over so few are too narrow.";
        foreach (var reward in comparison.Rewards.Where(reward => reward.Failed > 0))
            yield return $"{reward.Failed} completions have no score of {reward.Name}; prompts without one of either are left out.";
    }

    private static IEnumerable<string> SideBySide(SweepResults results, int prompt)
    {
        yield return "";
        yield return results.Row(prompt, 0, 0).Prompt;
        var columns = Enumerable.Range(0, 2).Select(place => Column(results, results.Row(prompt, place, 0), place)).ToArray();
        for (var line = 0; line < columns.Max(column => column.Count); line++)
            yield return string.Join("  ", columns.Select(column => WrappedText.Pad(column.ElementAtOrDefault(line) ?? "", ColumnWidth)))
                .TrimEnd();
    }

    private static List<string> Column(SweepResults results, SweepRow row, int place)
    {
        var scores = results.Rewards.Zip(row.Rewards, (name, score) => $", {name} {(score is { } number ? Text(number) : "–")}");
        var (head, text) = (new WrappedText(ColumnWidth), new WrappedText(ColumnWidth));
        head.Append($"{Name(place)}: λ = {Text(row.Strength)}{string.Concat(scores)}");
        head.Finish();
        text.Append(row.Completion.Trim());
        text.Finish();
        return [.. head.Lines, .. text.Lines];
    }

    private static string Name(int place) => place == 0 ? "First" : "Second";

    private static string Cells(Interval interval) => $"{Text(interval.Estimate)},{Text(interval.Low)},{Text(interval.High)}";

    private static string Text(double number) =>
        number.ToString(Math.Abs(number) < .001 ? "0.######" : "0.####", CultureInfo.InvariantCulture);
}
