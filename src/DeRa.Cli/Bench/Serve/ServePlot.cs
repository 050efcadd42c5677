using DeRa.Cli.Bench.Plots;

namespace DeRa.Cli.Bench.Serve;

/// <summary>Throughput and latencies against the number of clients.</summary>
internal static class ServePlot
{
    /// <summary>Draws reports as SVG.</summary>
    /// <param name="reports">Of one concurrency or rate each.</param>
    public static string Draw(IReadOnlyList<ServeReport> reports)
    {
        var isOpen = reports.Any(report => report.Options.Rate is not null);
        var label = isOpen ? "requests/s" : "concurrent requests";
        return LinePlot.Draw([
            new PlotPanel("Throughput", label, "output tokens/s",
                [Series("output tokens/s", report => report.OutputTokens / report.Seconds)]),
            new PlotPanel("Time to first token", label, "ms",
                [Series("p50", report => 1e3 * report.FirstToken?.P50), Series("p99", report => 1e3 * report.FirstToken?.P99)]),
            new PlotPanel("Time per output token", label, "ms",
                [Series("p50", report => 1e3 * report.PerToken?.P50), Series("p99", report => 1e3 * report.PerToken?.P99)]),
        ]);

        PlotSeries Series(string name, Func<ServeReport, double?> value) => new(name, [.. reports
            .Where(report => value(report) is not null)
            .Select(report => (X: report.Options.Rate ?? report.Options.Concurrency ?? 1, value(report)!.Value))
            .OrderBy(point => point.X)]);
    }
}
