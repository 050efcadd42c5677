using System.Globalization;
using System.Xml.Linq;
using DeRa.Cli.Bench.Plots;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Plots;

public class LinePlotTests
{
    [Fact]
    public void A_plot_is_xml_with_a_line_for_each_series_inside_its_panel()
    {
        var series = new PlotSeries("pair & <turns>", [(1, 10), (2, 19), (64, 333)]);
        var svg = XDocument.Parse(LinePlot.Draw([
            new PlotPanel("one", "x", "y", [series, new PlotSeries("other", [(1, 0), (64, 5)])]), new PlotPanel("none", "x", "y", []),
        ]));

        Assert.Equal("{http://www.w3.org/2000/svg}svg", svg.Root!.Name.ToString());
        var lines = svg.Descendants().Where(element => element.Name.LocalName == "polyline").ToList();
        Assert.Equal(2, lines.Count);
        Assert.Equal(5, svg.Descendants().Count(element => element.Name.LocalName == "circle"));
        Assert.Contains(svg.Descendants(), element => element.Value == "pair & <turns>");
        var points = ((string)lines[0].Attribute("points")!).Split(' ').Select(Point).ToList();
        // Equal ratios are equally far apart, and higher values higher up.
        Assert.Equal((points[2].X - points[0].X) / 6, points[1].X - points[0].X, 0.2);
        Assert.True(points[0].Y > points[1].Y && points[1].Y > points[2].Y);
        var height = (double)svg.Root.Attribute("height")!;
        Assert.All(points, point => Assert.True(point is { X: > 0, Y: > 0 } && point.Y < height));
    }

    private static (double X, double Y) Point(string text) => text.Split(',') is [var x, var y]
        ? (double.Parse(x, CultureInfo.InvariantCulture), double.Parse(y, CultureInfo.InvariantCulture)) : throw new FormatException(text);
}
