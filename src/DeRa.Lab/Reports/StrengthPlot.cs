using System.Globalization;
using ScottPlot;
using ScottPlot.TickGenerators;

namespace DeRa.Lab.Reports;

/// <summary>Values against the strength λ: a line for each series, with a band for its intervals and the legend below the data.</summary>
/// <param name="Title">What is shown, on one line.</param>
/// <param name="ValueLabel">The vertical axis, with its unit.</param>
/// <param name="Series">At most seven, the number of distinguishable styles.</param>
internal sealed record StrengthPlot(string Title, string ValueLabel, IReadOnlyList<PlotSeries> Series)
{
    /// <summary>The size of the drawing; the PNG has <see cref="Scale"/> times as many pixels each way, for sharp screens.</summary>
    public const int Width = 800, Height = 520, Scale = 2;

    private const int RightMargin = 24;

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

    /// <summary>Writes PATH.svg and PATH.png.</summary>
    /// <param name="path">Without an extension; its folder exists.</param>
    public void Save(string path)
    {
        if (Series.Count is 0 || Series.Count > Colours.Length || Series.Any(series => series.Points.Count == 0))
            throw new ArgumentException($"a plot has 1 to {Colours.Length} series with at least a point each");
        PlotFont.Load();
        using (var plot = Draw(scale: 1)) File.WriteAllText(path + ".svg", PlotFont.WithFallbacks(plot.GetSvgXml(Width, Height)));
        using (var plot = Draw(Scale)) plot.SavePng(path + ".png", Width * Scale, Height * Scale);
    }

    private Plot Draw(int scale)
    {
        var plot = new Plot { ScaleFactor = scale };
        for (var i = 0; i < Series.Count; i++) AddBand(plot, Series[i], Color.FromHex(Colours[i]));
        for (var i = 0; i < Series.Count; i++) AddLine(plot, Series[i], Color.FromHex(Colours[i]), Markers[i]);
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
