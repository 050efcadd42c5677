using System.Globalization;
using System.Net;
using System.Text;

namespace DeRa.Cli.Bench.Plots;

/// <summary>One line of a panel.</summary>
/// <param name="Name">Its entry in the legend.</param>
/// <param name="Points">By x; both finite, x above 0 and y not below.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<(double X, double Y)> Points);

/// <summary>One plot.</summary>
/// <param name="Title">What is shown.</param>
/// <param name="XLabel">The horizontal axis, with its unit.</param>
/// <param name="YLabel">The vertical axis, with its unit; it begins at 0.</param>
/// <param name="Series">Its lines.</param>
internal sealed record PlotPanel(string Title, string XLabel, string YLabel, IReadOnlyList<PlotSeries> Series);

/// <summary>
/// Draws panels side by side as one SVG that needs no other file. Their x-axes are logarithmic, with a tick at each measured value.
/// </summary>
internal sealed class LinePlot
{
    private const int PanelWidth = 420, Height = 340, Left = 64, Right = 16, Top = 40, Bottom = 276, LegendLine = 18;

    // Okabe and Ito's palette, which the colour-blind can tell apart.
    private static readonly string[] s_colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];

    private readonly StringBuilder _svg = new();

    private LinePlot()
    {
    }

    /// <summary>Draws them.</summary>
    /// <param name="panels">At least one.</param>
    public static string Draw(IReadOnlyList<PlotPanel> panels)
    {
        var (width, height) = (PanelWidth * panels.Count, Height + LegendLine * panels.Max(panel => panel.Series.Count));
        var plot = new LinePlot();
        plot.Line($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\"");
        plot.Line($"  font-family=\"Helvetica, Arial, sans-serif\" font-size=\"13\" fill=\"#262626\">");
        plot.Line($"<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>");
        foreach (var (index, panel) in panels.Index())
        {
            plot.Line($"<g transform=\"translate({PanelWidth * index} 0)\">");
            plot.Add(panel);
            plot.Line($"</g>");
        }
        plot.Line($"</svg>");
        return plot._svg.ToString();
    }

    private void Add(PlotPanel panel)
    {
        var points = panel.Series.SelectMany(series => series.Points).ToList();
        Text((Left + PanelWidth - Right) / 2, 22, "middle", panel.Title);
        Text((Left + PanelWidth - Right) / 2, Bottom + 40, "middle", panel.XLabel);
        Line($"<text transform=\"translate(14 {(Top + Bottom) / 2}) rotate(-90)\" text-anchor=\"middle\">{Escaped(panel.YLabel)}</text>");
        var scale = Scale.Of(points);
        for (var value = 0.0; value <= scale.Highest * 1.0001; value += scale.Step)
        {
            Line($"<path d=\"M{Left} {scale.Y(value):F1}H{PanelWidth - Right}\" stroke=\"#e6e6e6\"/>");
            Text(Left - 8, scale.Y(value) + 4, "end", value.ToString("0.######", CultureInfo.InvariantCulture));
        }
        foreach (var x in points.Select(point => point.X).Distinct())
        {
            Line($"<path d=\"M{scale.X(x):F1} {Bottom}v5\" stroke=\"#8c8c8c\"/>");
            Text(scale.X(x), Bottom + 19, "middle", x.ToString("0.###", CultureInfo.InvariantCulture));
        }
        Line($"<path d=\"M{Left} {Bottom}H{PanelWidth - Right}\" stroke=\"#8c8c8c\"/>");
        foreach (var (index, series) in panel.Series.Index())
            Add(series, s_colours[index % s_colours.Length], Height + LegendLine * index, scale);
    }

    private void Add(PlotSeries series, string colour, int legend, Scale scale)
    {
        var line = string.Join(' ', series.Points.Select(point =>
            string.Create(CultureInfo.InvariantCulture, $"{scale.X(point.X):F1},{scale.Y(point.Y):F1}")));
        Line($"<polyline points=\"{line}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        foreach (var (x, y) in series.Points)
            Line($"<circle cx=\"{scale.X(x):F1}\" cy=\"{scale.Y(y):F1}\" r=\"3.5\" fill=\"{colour}\"/>");
        Line($"<path d=\"M{Left} {legend - 4}h24\" stroke=\"{colour}\" stroke-width=\"2\"/>");
        Text(Left + 32, legend, "start", series.Name);
    }

    private void Text(double x, double y, string anchor, string text) =>
        Line($"<text x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\">{Escaped(text)}</text>");

    private void Line(FormattableString text) => _svg.Append(FormattableString.Invariant(text)).Append('\n');

    private static string Escaped(string text) => WebUtility.HtmlEncode(text);

    /// <summary>Where values lie in a panel.</summary>
    private sealed record Scale(double First, double Last, double Highest, double Step)
    {
        /// <summary>So that all points fit, with round numbers of 1, 2 or 5 times a power of ten between grid lines.</summary>
        public static Scale Of(List<(double X, double Y)> points)
        {
            if (points.Count == 0) return new Scale(1, 1, 1, 1);
            var most = Math.Max(points.Max(point => point.Y), 1e-9);
            var power = Math.Pow(10, Math.Floor(Math.Log10(most / 4)));
            var step = new double[] { 1, 2, 5, 10 }.Select(factor => factor * power).First(step => most / step <= 5);
            return new Scale(points.Min(point => point.X), points.Max(point => point.X), step * Math.Ceiling(most / step), step);
        }

        public double X(double value) => First == Last ? (Left + PanelWidth - Right) / 2.0
            : Left + 20 + (PanelWidth - Right - Left - 40) * Math.Log(value / First) / Math.Log(Last / First);

        public double Y(double value) => Bottom - (Bottom - Top) * value / Highest;
    }
}
