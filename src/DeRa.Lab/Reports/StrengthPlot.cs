using System.Globalization;
using System.Text;
using DeRa.Serving.Statistics;
using ScottPlot;
using ScottPlot.TickGenerators;
using SkiaSharp;

namespace DeRa.Lab.Reports;

/// <summary>Values against the strength λ: a line for each series, with a band for its intervals and the legend below the data.</summary>
/// <param name="Title">What is shown, on one line; may be empty.</param>
/// <param name="ValueLabel">The vertical axis, with its unit.</param>
/// <param name="Series">At most seven with those below, the number of distinguishable styles.</param>
internal sealed record StrengthPlot(string Title, string ValueLabel, IReadOnlyList<PlotSeries> Series)
{
    /// <summary>The size of the drawing; the PNG has <see cref="Scale"/> times as many pixels each way, for sharp screens.</summary>
    public const int Width = 800, Height = 520, Scale = 2;

    private const int RightMargin = 24, LeftMargin = 70;

    // Okabe and Ito's palette, which the colour-blind can tell apart, without its yellow, too pale for lines on white.
    private static readonly string[] Colours = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"];
    private static readonly MarkerShape[] Markers =
    [
        MarkerShape.FilledCircle, MarkerShape.FilledSquare, MarkerShape.FilledTriangleUp, MarkerShape.FilledDiamond,
        MarkerShape.FilledTriangleDown, MarkerShape.OpenCircle, MarkerShape.OpenSquare,
    ];

    private static readonly Color TextColour = Color.FromHex("#262626");
    private static readonly Color GridColour = Color.FromHex("#E6E6E6");
    private static readonly Color AxisColour = Color.FromHex("#8C8C8C");

    /// <summary>A plot of other units, drawn below this one; null = none.</summary>
    public StrengthPlot? Below { get; init; }

    private IReadOnlyList<StrengthPlot> Panels => Below is null ? [this] : [this, .. Below.Panels];

    /// <summary>Writes PATH.svg and PATH.png.</summary>
    /// <param name="path">Without an extension; its folder exists.</param>
    public void Save(string path)
    {
        var series = Panels.SelectMany(panel => panel.Series).ToArray();
        if (series.Length > Colours.Length || Panels.Any(panel => panel.Series.Count == 0) || series.Any(line => line.Points.Count == 0))
            throw new ArgumentException($"a plot has 1 to {Colours.Length} series with at least a point each");
        PlotFont.Load();
        var height = Height * Panels.Count;
        using var svg = new MemoryStream();
        using (var canvas = SKSvgCanvas.Create(SKRect.Create(Width, height), svg)) Draw(canvas, scale: 1);
        File.WriteAllText(path + ".svg", PlotFont.WithFallbacks(Encoding.UTF8.GetString(svg.ToArray())));
        using var surface = SKSurface.Create(new SKImageInfo(Width * Scale, height * Scale));
        Draw(surface.Canvas, Scale);
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, quality: 100);
        File.WriteAllBytes(path + ".png", data.ToArray());
    }

    private void Draw(SKCanvas canvas, int scale)
    {
        canvas.Clear(SKColors.White);
        var style = 0;
        foreach (var (row, panel) in Panels.Index())
        {
            using var plot = panel.Draw(scale, style);
            // The first time ScottPlot draws twice, to lay out the axes.
            plot.RenderInMemory(Width * scale, Height * scale);
            plot.RenderManager.ClearCanvasBeforeEachRender = false;
            canvas.Save();
            canvas.Translate(0, Height * scale * row);
            plot.Render(canvas, Width * scale, Height * scale);
            canvas.Restore();
            style += panel.Series.Count;
        }
    }

    /// <param name="scale">Pixels of a unit.</param>
    /// <param name="style">The style of the first series.</param>
    private Plot Draw(int scale, int style)
    {
        var plot = new Plot { ScaleFactor = scale };
        for (var i = 0; i < Series.Count; i++) AddBand(plot, Series[i], Color.FromHex(Colours[style + i]));
        for (var i = 0; i < Series.Count; i++) AddLine(plot, Series[i], Color.FromHex(Colours[style + i]), Markers[style + i]);
        Label(plot);
        return plot;
    }

    private static NumericAutomatic Ticks() => new()
    {
        TickDensity = .6,
        LabelFormatter = value => Math.Round(value, 10).ToString("0.##########", CultureInfo.InvariantCulture),
    };

    private static void AddBand(Plot plot, PlotSeries series, Color colour)
    {
        var band = plot.Add.FillY(
            [.. series.Points.Select(point => point.Strength)],
            [.. series.Points.Select(point => point.Value.Low)],
            [.. series.Points.Select(point => point.Value.High)]);
        (band.FillColor, band.LineWidth, band.MarkerSize) = (colour.WithAlpha(.16), 0, 0);
    }

    private static void AddLine(Plot plot, PlotSeries series, Color colour, MarkerShape marker)
    {
        var line = plot.Add.Scatter(
            series.Points.Select(point => point.Strength).ToArray(),
            series.Points.Select(point => point.Value.Estimate).ToArray(),
            colour);
        (line.LegendText, line.LineWidth, line.MarkerShape, line.MarkerSize) = (series.Name, 2, marker, 8);
    }

    private void Label(Plot plot)
    {
        plot.Title(Title, size: 17);
        plot.XLabel("strength λ", size: 15);
        plot.YLabel(ValueLabel, size: 15);
        plot.Axes.Color(AxisColour);
        (plot.Axes.Title.Label.ForeColor, plot.Axes.Title.Label.Bold) = (TextColour, false);
        foreach (var axis in new IAxis[] { plot.Axes.Bottom, plot.Axes.Left })
        {
            (axis.Label.ForeColor, axis.Label.Bold) = (TextColour, false);
            (axis.TickLabelStyle.ForeColor, axis.TickLabelStyle.FontSize) = (TextColour, 13);
            (axis.MinorTickStyle.Length, axis.TickGenerator) = (0, Ticks());
        }
        // ScottPlot centres the letters with their accents and descenders; digits have neither and stand too high.
        plot.Axes.Left.TickLabelStyle.OffsetY = 3;
        (plot.Axes.Right.FrameLineStyle.Width, plot.Axes.Right.MinimumSize) = (0, RightMargin);
        plot.Axes.Left.MinimumSize = LeftMargin; // panels below each other begin at one place
        plot.Axes.Top.IsVisible = false;
        plot.Grid.MajorLineColor = GridColour;
        plot.Axes.Margins(.04, .08);
        var legend = plot.ShowLegend(Edge.Bottom);
        (legend.Legend.Orientation, legend.Legend.FontSize, legend.Legend.FontColor) = (Orientation.Horizontal, 14, TextColour);
        (legend.Legend.OutlineWidth, legend.Legend.ShadowColor) = (0, Colors.Transparent);
    }
}

/// <summary>One line of a plot.</summary>
/// <param name="Name">Its entry in the legend.</param>
/// <param name="Points">In the order of their strengths.</param>
internal sealed record PlotSeries(string Name, IReadOnlyList<PlotPoint> Points);

/// <summary>What was measured at one strength λ.</summary>
internal readonly record struct PlotPoint(double Strength, Interval Value);
