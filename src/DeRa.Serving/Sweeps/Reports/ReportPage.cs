using System.Reflection;
using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>A sweep as one HTML page that needs no other file, no network and no script.</summary>
public static class ReportPage
{
    /// <summary>Writes it.</summary>
    /// <param name="summary">What the sweep says.</param>
    /// <param name="settings">What its rows depend on, by name.</param>
    public static string Html(SweepSummary summary, IReadOnlyDictionary<string, string> settings)
    {
        var (results, name) = (summary.Results, ReportText.Escaped(summary.Curves[0].Name));
        var html = new MarkupLines().Add($"<!DOCTYPE html>").Add($"<html lang=\"en\">").Add($"<head>").Add($"<meta charset=\"utf-8\">")
            .Add($"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
            .Add($"<title>{name} against strength</title>").Add($"<style>").Add($"{Style()}</style>").Add($"</head>")
            .Add($"<body>").Add($"<main>").Add($"<h1>{name} against strength</h1>")
            .Add($"<p>{results.PromptCount} prompts, {results.Strengths.Count} strengths, {results.Samples} completions of each prompt at")
            .Add($"each strength, with the same random draws at every strength.</p>").Add($"{Recommended(summary)}");
        foreach (var warning in summary.Warnings) html.Add($"<p class=\"warning\">{ReportText.Escaped(warning)}</p>");
        html.Add($"{PlotSection.Html(summary)}{Table(summary)}{WinSection.Html(summary)}{SampleSection.Html(summary)}{Settings(settings)}");
        return html.Add($"</main>").Add($"</body>").Add($"</html>").ToString();
    }

    private static string Recommended(SweepSummary summary)
    {
        var (best, curve, baseline) = (summary.Recommendation, summary.Curves[0], summary.Results.Baseline);
        var tiles = new List<string> { Tile("recommended strength λ", best.Strength, "") };
        if (summary.Beta is { } beta && best.Retrain(beta) is { } retrain)
            tiles.Add(Tile("β/λ to train at once more", retrain, $", from β = {ReportText.Number(beta)}"));
        tiles.Add(Tile($"{curve.Name} there", curve.Means[best.Place], ""));
        if (best.Place != baseline)
            tiles.Add(Tile($"above λ = {ReportText.Number(summary.Results.Strengths[baseline])}", curve.Differences[best.Place],
                ", prompt by prompt"));
        tiles.Add(Tile("KL from the reference", summary.Figures[best.Place].Kl, " nats"));
        return $"<dl class=\"tiles\">\n{string.Concat(tiles)}</dl>\n";
    }

    private static string Tile(string name, Interval value, string unit)
    {
        var (estimate, low, high) = (ReportText.Number(value.Estimate), ReportText.Number(value.Low), ReportText.Number(value.High));
        return $"<div><dt>{ReportText.Escaped(name)}</dt><dd>{estimate}<small>{low} to {high}{unit}</small></dd></div>\n";
    }

    private static string Table(SweepSummary summary)
    {
        string[] heads = ["λ", .. summary.Results.Rewards, "KL, nats", "tokens", "ended, %", "distinct-1", "distinct-2", "self-BLEU"];
        var areSizesKnown = summary.Figures.Any(figures => !double.IsNaN(figures.Effective.Own.Estimate));
        if (areSizesKnown) heads = [.. heads, $"effective of {summary.Results.Samples}"];
        var html = new MarkupLines().Add($"<h2>All strengths</h2>")
            .Add($"<p>Means, and below them 95 % intervals of a bootstrap over prompts.</p>")
            .Add($"<div class=\"scroll\"><table>")
            .Add($"<thead><tr>{string.Concat(heads.Select(head => $"<th>{ReportText.Escaped(head)}</th>"))}</tr></thead><tbody>");
        foreach (var (place, figures) in summary.Figures.Index())
        {
            double[] numbers = [figures.Tokens, 100 * figures.Finished, figures.Distinct1, figures.Distinct2, figures.SelfBleu];
            string[] cells =
            [
                .. summary.Curves.Select(curve => curve.Means[place]).Append(figures.Kl).Select(ReportText.Cell),
                .. numbers.Select(ReportText.Cell),
            ];
            if (areSizesKnown) cells = [.. cells, ReportText.Cell(figures.Effective.Own)];
            var style = place == summary.Recommendation.Place ? " class=\"chosen\"" : "";
            html.Add($"<tr{style}><th>{ReportText.Number(figures.Strength)}</th>")
                .Add($"{string.Concat(cells.Select(cell => $"<td>{cell}</td>"))}</tr>");
        }
        return html.Add($"</tbody></table></div>").ToString();
    }

    private static string Settings(IReadOnlyDictionary<string, string> settings)
    {
        var html = new MarkupLines().Add($"<h2>Settings</h2>").Add($"<div class=\"scroll\"><table class=\"settings\">");
        foreach (var (name, value) in settings)
            html.Add($"<tr><th>{ReportText.Escaped(name)}</th><td>{ReportText.Escaped(value)}</td></tr>");
        return html.Add($"</table></div>").Add($"<p>Each prompt's seed is in results.jsonl, with every completion.</p>").ToString();
    }

    private static string Style()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("sweep-report.css")!);
        return reader.ReadToEnd();
    }
}
