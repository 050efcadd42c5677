using System.Globalization;
using System.Text.Json;
using DeRa.Cli.Bench.Plots;

namespace DeRa.Cli.Simulate;

/// <summary>Reports as a table of Markdown, as JSON and as a plot.</summary>
internal static class SimulationText
{
    private static readonly JsonSerializerOptions s_format = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The table's head.</summary>
    public const string Head =
        "| replicas | policy | prompt tokens cached | first choices | max/mean load | first token p50, ms | p99, ms | last token p99, s "
        + "| keys moved: one leaves | one joins |\n|---|---|---|---|---|---|---|---|---|---|";

    /// <summary>A row.</summary>
    public static string Row(SimulationReport report) => string.Create(CultureInfo.InvariantCulture,
        $"| {report.Options.Replicas:N0} | {report.Options.Name} | {Percent(report.CachedShare)} | {Choices(report)} "
        + $"| {report.MaxOverMean:0.00} | {1e3 * report.FirstTokenP50:0} | {1e3 * report.FirstTokenP99:0} | {report.TotalP99:0.0} "
        + $"| {Moved(report.MovedByLeaving)} | {Moved(report.MovedByJoining)} |");

    /// <summary>All figures.</summary>
    public static string Json(IReadOnlyList<SimulationReport> reports) => JsonSerializer.Serialize(reports, s_format);

    /// <summary>Hits, balance and tail against the number of replicas.</summary>
    public static string Plot(IReadOnlyList<SimulationReport> reports)
    {
        return LinePlot.Draw([
            Panel("Prompt tokens cached", "%", report => 100 * report.CachedShare),
            Panel("First token, 99 in 100", "ms", report => 1e3 * report.FirstTokenP99),
            Panel("Largest load over the mean", "times", report => report.MaxOverMean),
        ]);

        PlotPanel Panel(string title, string unit, Func<SimulationReport, double> value) => new(title, "replicas", unit,
            [.. reports.GroupBy(report => report.Options.Name).Select(group => new PlotSeries(group.Key,
                [.. group.Select(report => ((double)report.Options.Replicas, value(report))).OrderBy(point => point.Item1)]))]);
    }

    private static string Choices(SimulationReport report) => report.MovedByJoining is null ? "" : Percent(report.FirstChoices);

    private static string Moved(double? share) => share is { } known ? string.Create(CultureInfo.InvariantCulture, $"{100 * known:0.00} %") : "";

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:0.0} %");
}
