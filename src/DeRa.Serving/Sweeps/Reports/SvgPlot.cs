using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Draws layers over two linear axes as SVG within a page, which gives the colours.</summary>
internal sealed class SvgPlot
{
    private const int Width = 560, Height = 360, Left = 86, Right = 14, Top = 14, Bottom = 308;

    private readonly MarkupLines _svg = new();
    private readonly PlotLabels _labels = new(Left, 0, Width, Bottom);
    private readonly PlotAxis _x, _y;

    private SvgPlot(PlotAxis x, PlotAxis y) => (_x, _y) = (x, y);

    /// <summary>Draws a plot.</summary>
    /// <param name="title">What is shown, for who does not see it.</param>
    /// <param name="xLabel">The horizontal axis, with its unit.</param>
    /// <param name="yLabel">The vertical axis, with its unit.</param>
    /// <param name="layers">At least one, with a point; the first lies lowest.</param>
    /// <param name="range">A place of the horizontal axis and bounds that are shown behind the layers; null = none.</param>
    public static string Draw(string title, string xLabel, string yLabel, IReadOnlyList<PlotLayer> layers, Interval? range = null)
    {
        var points = layers.SelectMany(layer => layer.Points).ToList();
        var plot = new SvgPlot(PlotAxis.Of(points.Select(point => point.X)),
            PlotAxis.Of(points.SelectMany(point => (double[])[point.Y, point.Low ?? point.Y, point.High ?? point.Y])));
        plot._svg.Add($"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" aria-label=\"{ReportText.Escaped(title)}\">");
        if (range is { } shown) plot.AddRange(shown);
        plot.AddAxes(xLabel, yLabel);
        foreach (var layer in layers) plot.AddBand(layer);
        foreach (var point in layers.Where(layer => layer.HasDots).SelectMany(layer => layer.Points))
            plot._labels.AddDot(plot.X(point.X), plot.Y(point.Y));
        foreach (var layer in layers) plot.Add(layer);
        plot._svg.Add($"</svg>");
        return plot._svg.ToString();
    }

    private void AddRange(Interval range)
    {
        var (left, width) = (X(range.Low), X(range.High) - X(range.Low));
        _svg.Add($"<rect class=\"range\" x=\"{left:F1}\" y=\"{Top}\" width=\"{width:F1}\" height=\"{Bottom - Top}\"/>");
        _svg.Add($"<path class=\"best\" d=\"M{X(range.Estimate):F1} {Top}V{Bottom}\"/>");
    }

    private void AddAxes(string xLabel, string yLabel)
    {
        foreach (var tick in _y.Ticks)
        {
            _svg.Add($"<path class=\"grid\" d=\"M{Left} {Y(tick):F1}H{Width - Right}\"/>");
            Text(Left - 8, Y(tick) + 4, "end", ReportText.Number(tick));
        }
        foreach (var tick in _x.Ticks)
        {
            _svg.Add($"<path class=\"axis\" d=\"M{X(tick):F1} {Bottom}v5\"/>");
            Text(X(tick), Bottom + 20, "middle", ReportText.Number(tick));
        }
        _svg.Add($"<path class=\"axis\" d=\"M{Left} {Bottom}H{Width - Right}\"/>");
        Text((Left + Width - Right) / 2.0, Height - 8, "middle", xLabel);
        var middle = (Top + Bottom) / 2;
        _svg.Add($"<text transform=\"translate(14 {middle}) rotate(-90)\" text-anchor=\"middle\">{ReportText.Escaped(yLabel)}</text>");
    }

    private void AddBand(PlotLayer layer)
    {
        if (layer.Points.Count < 2 || layer.Points.Any(point => point.Low is null || point.High is null)) return;
        var outline = layer.Points.Select(point => Place(point.X, point.High!.Value))
            .Concat(layer.Points.Reverse().Select(point => Place(point.X, point.Low!.Value)));
        _svg.Add($"<polygon class=\"band c{layer.Colour}\" points=\"{string.Join(' ', outline)}\"/>");
    }

    private void Add(PlotLayer layer)
    {
        var style = layer.Line == PlotLine.Dashed ? "line dashed" : "line";
        var points = layer.Points.Select(point => Place(point.X, point.Y));
        if (layer.Line != PlotLine.None)
            _svg.Add($"<polyline class=\"{style} c{layer.Colour}\" points=\"{string.Join(' ', points)}\"/>");
        if (!layer.HasDots) return;
        foreach (var (x, y, low, high, label) in layer.Points)
        {
            var bounds = low is { } from && high is { } to ? $" ({ReportText.Number(from)} to {ReportText.Number(to)})" : "";
            _svg.Add($"<circle class=\"dot c{layer.Colour}\" cx=\"{X(x):F1}\" cy=\"{Y(y):F1}\" r=\"3.5\">");
            var name = ReportText.Escaped($"{layer.Name}: {label ?? ReportText.Number(x)}, {ReportText.Number(y)}{bounds}");
            _svg.Add($"<title>{name}</title></circle>");
            if (label is not null && _labels.Place(X(x), Y(y), label, layer.AreLabelsBelow) is var (labelX, labelY, isEnd))
                Text(labelX, labelY, isEnd ? "end" : "start", label);
        }
    }

    private void Text(double x, double y, string anchor, string text) =>
        _svg.Add($"<text x=\"{x:F1}\" y=\"{y:F1}\" text-anchor=\"{anchor}\">{ReportText.Escaped(text)}</text>");

    private double X(double value) => Left + 8 + (Width - Right - Left - 16) * _x.Part(value);

    private double Y(double value) => Bottom - (Bottom - Top) * _y.Part(value);

    private string Place(double x, double y) => FormattableString.Invariant($"{X(x):F1},{Y(y):F1}");
}
