using DeRa.Serving.Statistics;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>The plots of a report, each with its legend.</summary>
internal static class PlotSection
{
    private const int FitPoints = 60;

    /// <summary>Writes them.</summary>
    public static string Html(SweepSummary summary)
    {
        var plots = new List<string>();
        foreach (var (index, curve) in summary.Curves.Index())
            plots.AddRange([OverStrengths(summary, curve, index == 0), OverDistances(summary, curve, index == 0)]);
        plots.Add(Figure("Length of completions", "strength λ", "tokens",
            [new PlotLayer("mean length", 1, Over(summary, figures => figures.Tokens))]));
        PlotLayer[] variety =
        [
            new("distinct-1: different words among all", 1, Over(summary, figures => figures.Distinct1)),
            new("distinct-2: different pairs of words among all", 2, Over(summary, figures => figures.Distinct2)),
            new("self-BLEU: how alike a prompt's completions are", 3, Over(summary, figures => figures.SelfBleu)),
        ];
        AddFigure(plots, "Variety of all completions at a strength", "share", variety);
        PlotLayer[] sizes =
        [
            new("of the strength's own completions, by W", 1, Over(summary, figures => figures.Effective.Own)),
            new("of the completions at λ = 0", 2, Over(summary, figures => figures.Effective.FromReference)) { Line = PlotLine.Dashed },
            new("of the completions at λ = 1", 3, Over(summary, figures => figures.Effective.FromAligned)) { Line = PlotLine.Dashed },
        ];
        AddFigure(plots, "Effective samples of a model trained at β/λ", $"of {summary.Results.Samples} samples", sizes);
        return $"<div class=\"plots\">\n{string.Concat(plots)}</div>\n";
    }

    private static string OverStrengths(SweepSummary summary, RewardCurve curve, bool isFirst)
    {
        var points = summary.Figures.Select((figures, place) =>
            new PlotPoint(figures.Strength, curve.Means[place].Estimate, curve.Means[place].Low, curve.Means[place].High)).ToList();
        return Figure($"{curve.Name} against strength", "strength λ", curve.Name,
            [new PlotLayer("mean, with a 95 % band of a bootstrap over prompts", 1, points)],
            isFirst ? summary : null);
    }

    private static string OverDistances(SweepSummary summary, RewardCurve curve, bool isFirst)
    {
        var layers = new List<PlotLayer>();
        if (summary.Fit(curve) is { } fit) layers.Add(Fitted(summary, curve, fit));
        if (isFirst)
        {
            var front = summary.ParetoFront.Select(place => new PlotPoint(summary.Figures[place].Distance, curve.Means[place].Estimate));
            layers.Add(new PlotLayer("Pareto front: no strength gives more at less distance", 4, [.. front]) { HasDots = false });
        }
        if (isFirst && summary.BestOfN.Count > 1)
            layers.Add(new PlotLayer("best of n at λ = 0, at the bound of its distance", 3, [.. summary.BestOfN.Select(best =>
                new PlotPoint(best.Distance, best.Reward, Label: best.N > 1 ? $"n = {best.N}" : null))]));
        layers.Add(new PlotLayer("strengths", 1, [.. summary.Figures.Select((figures, place) => new PlotPoint(figures.Distance,
            curve.Means[place].Estimate, Label: $"λ = {ReportText.Number(figures.Strength)}"))])
        {
            Line = PlotLine.None,
            AreLabelsBelow = true,
        });
        return Figure($"{curve.Name} against distance from the reference", "√KL(mixture ‖ reference), √nats", curve.Name, layers);
    }

    private static PlotLayer Fitted(SweepSummary summary, RewardCurve curve, KlFit fit)
    {
        var (reference, most) = (curve.Means[summary.Results.Reference!.Value].Estimate, summary.Figures.Max(figures => figures.Distance));
        var name = $"fit R(λ) − R(0) = d·(a − b·log d): a = {ReportText.Number(fit.A)}, b = {ReportText.Number(fit.B)}, "
            + $"R² = {ReportText.Number(fit.RSquared)}";
        if (fit.Peak is { } peak) name += $", highest at d = {ReportText.Number(peak)}";
        var distances = Enumerable.Range(0, FitPoints + 1).Select(i => most * i / FitPoints);
        return new PlotLayer(name, 2, [.. distances.Select(distance => new PlotPoint(distance, reference + fit.Gain(distance)))])
        {
            Line = PlotLine.Dashed,
            HasDots = false,
        };
    }

    /// <summary>A figure over strengths, of the layers that have points.</summary>
    private static void AddFigure(List<string> plots, string title, string yLabel, IEnumerable<PlotLayer> layers)
    {
        var known = layers.Where(layer => layer.Points.Count > 0).ToList();
        if (known.Count > 0) plots.Add(Figure(title, "strength λ", yLabel, known));
    }

    private static List<PlotPoint> Over(SweepSummary summary, Func<StrengthFigures, Interval> value) => [.. summary.Figures
        .Select(figures => (figures.Strength, Value: value(figures))).Where(one => double.IsFinite(one.Value.Estimate))
        .Select(one => new PlotPoint(one.Strength, one.Value.Estimate, one.Value.Low, one.Value.High))];

    private static List<PlotPoint> Over(SweepSummary summary, Func<StrengthFigures, double> value) => [.. summary.Figures
        .Where(figures => double.IsFinite(value(figures))).Select(figures => new PlotPoint(figures.Strength, value(figures)))];

    /// <param name="title">What is shown.</param>
    /// <param name="xLabel">The horizontal axis.</param>
    /// <param name="yLabel">The vertical axis.</param>
    /// <param name="layers">What is drawn.</param>
    /// <param name="recommended">Whose recommendation is shown; null = nobody's.</param>
    private static string Figure(
        string title, string xLabel, string yLabel, IReadOnlyList<PlotLayer> layers, SweepSummary? recommended = null)
    {
        var entries = layers.Select(layer => Entry($"c{layer.Colour} {layer.Line.ToString().ToLowerInvariant()}", layer.Name));
        if (recommended is not null) entries = entries.Append(Entry("range", "recommended, with its 95 % interval"));
        return $"<figure>\n<figcaption>{ReportText.Escaped(title)}</figcaption>\n"
            + SvgPlot.Draw(title, xLabel, yLabel, layers, recommended?.Recommendation.Strength)
            + $"<ul class=\"legend\">{string.Concat(entries)}</ul>\n</figure>\n";

        static string Entry(string style, string name) => $"<li><span class=\"key {style}\"></span>{ReportText.Escaped(name)}</li>";
    }
}
