using System.Reflection;
using System.Text;
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
        var html = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Strength sweep</title>\n");
        html.Append($"<style>\n{Style()}</style>\n</head>\n<body>\n<main>\n");
        html.Append($"<h1>{ReportText.Escaped(summary.Curves[0].Name)} against strength</h1>\n");
        html.Append($"<p>{summary.Results.PromptCount} prompts, {summary.Results.Strengths.Count} strengths, {summary.Results.Samples} ")
            .Append("completions of each prompt at each strength, with the same random draws at every strength.</p>\n");
        html.Append(Recommended(summary));
        foreach (var warning in summary.Warnings) html.Append($"<p class=\"warning\">{ReportText.Escaped(warning)}</p>\n");
        html.Append(PlotSection.Html(summary)).Append(Table(summary)).Append(SampleSection.Html(summary)).Append(Settings(settings));
        return html.Append("</main>\n</body>\n</html>\n").ToString();
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
        var html = new StringBuilder("<h2>All strengths</h2>\n<p>Means with 95 % intervals of a bootstrap over prompts.</p>\n");
        html.Append("<div class=\"scroll\"><table>\n<tr><th>λ</th>");
        foreach (var name in summary.Results.Rewards) html.Append($"<th>{ReportText.Escaped(name)}</th>");
        html.Append("<th>KL, nats</th><th>tokens</th><th>ended, %</th><th>distinct-1</th><th>distinct-2</th></tr>\n");
        foreach (var (place, figures) in summary.Figures.Index())
        {
            html.Append(place == summary.Recommendation.Place ? "<tr class=\"chosen\">" : "<tr>");
            html.Append($"<th>{ReportText.Number(figures.Strength)}</th>");
            foreach (var curve in summary.Curves) html.Append($"<td>{ReportText.Between(curve.Means[place])}</td>");
            html.Append($"<td>{ReportText.Between(figures.Kl)}</td>");
            foreach (var number in (double[])[figures.Tokens, 100 * figures.Finished, figures.Distinct1, figures.Distinct2])
                html.Append($"<td>{(double.IsNaN(number) ? "–" : ReportText.Number(number))}</td>");
            html.Append("</tr>\n");
        }
        return html.Append("</table></div>\n").ToString();
    }

    private static string Settings(IReadOnlyDictionary<string, string> settings)
    {
        var html = new StringBuilder("<h2>Settings</h2>\n<div class=\"scroll\"><table class=\"settings\">\n");
        foreach (var (name, value) in settings)
            html.Append($"<tr><th>{ReportText.Escaped(name)}</th><td>{ReportText.Escaped(value)}</td></tr>\n");
        return html.Append("</table></div>\n<p>Each prompt's seed is in results.jsonl, with every completion.</p>\n").ToString();
    }

    private static string Style()
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("sweep-report.css")!);
        return reader.ReadToEnd();
    }
}
