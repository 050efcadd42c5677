using DeRa.Cli.Bench.Plots;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Tokens a second against the batch, and against the context.</summary>
internal static class StepsPlot
{
    /// <summary>Draws a report as SVG.</summary>
    public static string Draw(StepsReport report)
    {
        var (context, batch) = (report.Options.Contexts[0], report.Options.Batches[0]);
        var byBatch = new PlotPanel($"Decode, context {context}", "sequences at once", "tokens/s",
            Series(report.Decode.Where(figure => figure.Context == context), figure => figure.Batch));
        var byContext = new PlotPanel($"Decode, batch {batch}", "context, tokens", "tokens/s",
            Series(report.Decode.Where(figure => figure.Batch == batch), figure => figure.Context));
        return LinePlot.Draw(report.Options.Contexts.Count > 1 ? [byBatch, byContext] : [byBatch]);
    }

    private static IReadOnlyList<PlotSeries> Series(IEnumerable<DecodeFigure> figures, Func<DecodeFigure, int> place) =>
        [.. figures.GroupBy(figure => figure.Way).Select(way => new PlotSeries(
            way.Key, [.. way.Select(figure => ((double)place(figure), figure.TokensPerSecond)).OrderBy(point => point.Item1)]))];
}
