using System.Buffers.Binary;
using System.Xml.Linq;
using DeRa.Lab.Reports;
using DeRa.Serving.Statistics;
using DeRa.Testing;
using SkiaSharp;
using Xunit;

namespace DeRa.Lab.Tests.Reports;

public sealed class StrengthPlotTests : IDisposable
{
    private static readonly StrengthPlot Plot = new("Length reward: DeRa & retraining", "mean reward", [
        new("DeRa at λ", [.. Points(11, 0)]),
        new("retrained at β/λ", [.. Points(6, .1)]),
    ]);

    private readonly TemporaryFolder _folder = new();

    private string PathOfPlot => Path.Combine(_folder.Path, "reward");

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_SVG_holds_all_labels_as_text()
    {
        Plot.Save(PathOfPlot);
        var texts = XDocument.Load(PathOfPlot + ".svg").Descendants().Where(element => element.Name.LocalName == "text")
            .Select(element => element.Value.Trim()).ToArray();
        Assert.Superset(
            new HashSet<string> { Plot.Title, Plot.ValueLabel, "strength λ", "DeRa at λ", "retrained at β/λ", "0", "1", "2" },
            texts.ToHashSet());
    }

    [Fact]
    public void The_SVG_has_a_marker_for_each_point_and_one_for_the_legend()
    {
        Plot.Save(PathOfPlot);
        var svg = XDocument.Load(PathOfPlot + ".svg");
        Assert.Equal(11 + 1, Markers(svg, "ellipse", "#0072B2"));
        Assert.Equal(6 + 1, Markers(svg, "rect", "#D55E00"));
    }

    [Fact]
    public void Bands_reach_from_the_low_to_the_high_bound()
    {
        new StrengthPlot("t", "v", [new("s", [new(0, new(1, 0, 2)), new(1, new(1, 0, 2))])]).Save(PathOfPlot);
        var band = XDocument.Load(PathOfPlot + ".svg").Descendants().Single(element => element.Attribute("fill-opacity") is not null
            && (string?)element.Attribute("fill") == "#0072B2");
        var heights = ((string)band.Attribute("d")!).Split(['M', 'L', 'Z'], StringSplitOptions.RemoveEmptyEntries)
            .Select(point => double.Parse(point.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture)).ToArray();
        // Margins take .08 of the axis on either side; labels and title take less than half of the drawing.
        Assert.InRange(heights.Max() - heights.Min(), .84 * StrengthPlot.Height / 2, .84 * StrengthPlot.Height);
    }

    [Fact]
    public void The_PNG_has_the_promised_size()
    {
        Plot.Save(PathOfPlot);
        var header = File.ReadAllBytes(PathOfPlot + ".png").AsSpan(0, 24);
        Assert.Equal(StrengthPlot.Width * StrengthPlot.Scale, BinaryPrimitives.ReadInt32BigEndian(header[16..]));
        Assert.Equal(StrengthPlot.Height * StrengthPlot.Scale, BinaryPrimitives.ReadInt32BigEndian(header[20..]));
    }

    [Fact]
    public void The_PNG_has_letters_above_the_data()
    {
        Plot.Save(PathOfPlot);
        using var image = SKBitmap.Decode(PathOfPlot + ".png");
        var dark = 0;
        for (var y = 0; y < 50; y++)
            for (var x = 0; x < image.Width; x++)
                if (image.GetPixel(x, y).Red < 128) dark++;
        Assert.InRange(dark, 500, 20_000);
    }

    [Fact]
    public void The_font_that_comes_along_has_the_letters_of_the_method()
    {
        using var typeface = new PlotFont().CreateTypeface(PlotFont.Name, bold: false, italic: false);
        Assert.True(typeface!.ContainsGlyphs("λβπθσ*/−±×≤≥→–…éß₀²0123456789 AaZz%[](),.:;"));
    }

    [Fact]
    public void One_point_and_no_spread_can_be_drawn()
    {
        new StrengthPlot("t", "v", [new("s", [new(1, Interval.Exact(0))])]).Save(PathOfPlot);
        Assert.Equal(1 + 1, Markers(XDocument.Load(PathOfPlot + ".svg"), "ellipse", "#0072B2"));
    }

    [Fact]
    public void A_plot_below_has_its_own_axis_and_goes_on_with_the_styles()
    {
        var below = new StrengthPlot("", "mean gold", [new("gold", [.. Points(4, 30)])]);
        (Plot with { Below = below }).Save(PathOfPlot);
        var svg = XDocument.Load(PathOfPlot + ".svg");
        Assert.Equal($"{2 * StrengthPlot.Height}", (string?)svg.Root!.Attribute("height"));
        Assert.Equal(11 + 1, Markers(svg, "ellipse", "#0072B2"));
        var texts = svg.Descendants().Where(element => element.Name.LocalName == "text").Select(element => element.Value.Trim());
        Assert.Superset(new HashSet<string> { Plot.Title, Plot.ValueLabel, "mean gold", "gold", "30" }, texts.ToHashSet());
        Assert.True(svg.Descendants().Count(element => (string?)element.Attribute("fill") == "#009E73") > 4);
        Assert.Throws<ArgumentException>(() => (Plot with { Below = below with { Series = [] } }).Save(PathOfPlot));
    }

    [Fact]
    public void Too_many_or_no_series_are_refused()
    {
        Assert.Throws<ArgumentException>(() => (Plot with { Series = [] }).Save(PathOfPlot));
        Assert.Throws<ArgumentException>(() => (Plot with { Series = [new("empty", [])] }).Save(PathOfPlot));
        Assert.Throws<ArgumentException>(() => (Plot with { Series = [.. Enumerable.Repeat(Plot.Series[0], 8)] }).Save(PathOfPlot));
    }

    private static IEnumerable<PlotPoint> Points(int count, double offset) => Enumerable.Range(0, count).Select(i =>
        new PlotPoint(2.0 * i / (count - 1), new(offset + i / 10.0, offset + i / 10.0 - .1, offset + i / 10.0 + .1)));

    private static int Markers(XDocument svg, string shape, string colour) => svg.Descendants().Count(element =>
        element.Name.LocalName == shape && (string?)element.Attribute("fill") == colour && element.Attribute("fill-opacity") is null);
}
