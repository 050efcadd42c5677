using System.Xml.Linq;
using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Reports;
using DeRa.Serving.Sweeps.Summaries;
using Xunit;

namespace DeRa.Serving.Tests.Sweeps;

public sealed class ReportTests
{
    private static readonly double[] s_strengths = [0, .5, 1, 1.5, 2, 2.5, 3];

    [Fact]
    public void The_page_has_all_plots_and_needs_nothing_else()
    {
        var summary = new SweepSummary(Results("a <b>bold</b> word"), .1);
        var html = ReportPage.Html(summary, new Dictionary<string, string> { ["seed"] = "<7>" });
        Assert.DoesNotContain("http", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("url(", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
        Assert.Contains("&lt;7&gt;", html, StringComparison.Ordinal);
        Assert.Contains("prefers-color-scheme: dark", html, StringComparison.Ordinal);
        Assert.Contains("@media print", html, StringComparison.Ordinal);
        var plots = Plots(html);
        Assert.Equal(
            ["proxy against strength", "proxy against distance from the reference", "gold against strength",
                "gold against distance from the reference", "Length of completions", "Variety of all completions at a strength",
                "Effective samples of a model trained at β/λ"],
            plots.Select(plot => (string)plot.Attribute("aria-label")!));
        // λ = 2 is the best, of β = 0.1.
        Assert.Contains("<dd>2<small>", html, StringComparison.Ordinal);
        Assert.Contains("<dd>0.05<small>", html, StringComparison.Ordinal);
        // Five strengths of six prompts.
        Assert.Equal(5 * 6, html.Split("<h4>λ = ").Length - 1);
        // Words are alike at every strength, and equal completions have equal weights.
        Assert.Equal(3, plots[^2].Elements("polyline").Count());
        Assert.All(Titles(plots[^1]), title => Assert.Contains(", 2 (2 to 2)", title, StringComparison.Ordinal));
    }

    [Fact]
    public void Win_rates_stand_in_the_row_of_the_winner()
    {
        var html = ReportPage.Html(new SweepSummary(Results("a word"), null), new Dictionary<string, string>());
        const string table = "<table class=\"wins\">";
        var rates = XElement.Parse(table + html.Split(table)[1].Split("</table>")[0] + "</table>").Descendants("tr").ToList();
        var rows = rates.Select(row => row.Elements().Select(cell => cell.FirstNode?.ToString()).ToList()).ToList();
        Assert.Equal(["λ", "0", "0.5", "1", "1.5", "2", "2.5", "3"], rows[0]);
        Assert.Equal(["2", "100", "100", "100", "100", null, "100", "100"], rows[5]);
        // −(λ − 2)² is the same at 1 and 3, and higher at 1.5 than at both.
        Assert.Equal(["3", "100", "100", "50", "0", "0", "0", null], rows[7]);
        Assert.Equal("0–0", rates[7].Elements().ElementAt(4).Element("small")!.Value);
        Assert.Contains("class=\"lost\" style=\"--by:60%\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", html, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(3, 5, new int[0], new[] { 0, 1, 2 })]
    [InlineData(21, 5, new[] { 5 }, new[] { 0, 5, 10, 15, 20 })]
    [InlineData(21, 5, new[] { 12 }, new[] { 0, 5, 12, 15, 20 })]
    [InlineData(21, 5, new[] { 0, 9, 10 }, new[] { 0, 9, 10, 15, 20 })]
    [InlineData(21, 5, new[] { 18, 19, 17 }, new[] { 0, 17, 18, 19, 20 })]
    public void Places_that_are_shown_are_even_but_for_those_that_must_be(int count, int most, int[] needed, int[] places) =>
        Assert.Equal(places, EvenPlaces.Of(count, most, needed));

    [Fact]
    public void Points_lie_where_the_figures_are()
    {
        var plot = XElement.Parse(SvgPlot.Draw("t", "x", "y", [new PlotLayer("layer", 1, [new(0, -1), new(1, 0, -.5, .5), new(2, 1)])]));
        var dots = plot.Elements("circle").Select(dot => (X: (double)dot.Attribute("cx")!, Y: (double)dot.Attribute("cy")!)).ToList();
        Assert.Equal(dots[1].X - dots[0].X, dots[2].X - dots[1].X, .11);
        Assert.Equal(dots[1].Y - dots[0].Y, dots[2].Y - dots[1].Y, .11);
        Assert.True(dots[0].X < dots[1].X && dots[0].Y > dots[1].Y);
        Assert.Contains(plot.Elements("text"), text => text.Value == "−1");
    }

    [Fact]
    public void Labels_stand_where_neither_points_nor_other_labels_are()
    {
        var labels = new PlotLabels(0, 0, 200, 200);
        labels.AddDot(100, 100);
        // Below to the right, below to the left, then above.
        Assert.Equal((100, 118, false), labels.Place(100, 100, "λ = 1", isBelow: true));
        Assert.Equal((100, 118, true), labels.Place(100, 100, "λ = 2", isBelow: true));
        Assert.Equal((100, 93, false), labels.Place(100, 100, "λ = 3", isBelow: true));
        // A point in the way, and the plot's edges.
        labels.AddDot(10, 60);
        Assert.Equal((2, 33, false), labels.Place(2, 40, "n = 2", isBelow: true));
        Assert.Equal((199, 175, true), labels.Place(199, 182, "n = 4", isBelow: true));
        Assert.Null(labels.Place(100, 100, new string('n', 30), isBelow: true));
    }

    [Theory]
    [InlineData(0, 1, new[] { 0, .2, .4, .6, .8, 1 })]
    [InlineData(-.32, .11, new[] { -.4, -.3, -.2, -.1, 0, .1, .2 })]
    [InlineData(3, 3, new[] { 2.4, 2.6, 2.8, 3, 3.2, 3.4, 3.6 })]
    public void Ticks_are_round_and_hold_the_values(double low, double high, double[] ticks) =>
        Assert.Equal(ticks, PlotAxis.Of([low, high]).Ticks.Select(tick => Math.Round(tick, 9)));

    [Theory]
    [InlineData("a b c", "a b c", "a b c")]
    [InlineData("a b c d", "a x c d e", "a [x] c d [e]")]
    [InlineData("", "a b", "[a b]")]
    [InlineData("a  b", "a\nb", "a b")]
    [InlineData("She was sad", "She was very happy and sad", "She was [very happy and] sad")]
    public void Words_that_the_other_text_lacks_are_new(string before, string text, string expected) => Assert.Equal(expected,
        string.Join(' ', WordDifference.Of(before, text).Select(run => run.IsNew ? $"[{run.Words}]" : run.Words)));

    private static List<XElement> Plots(string html) =>
        [.. html.Split("<svg").Skip(1).Select(part => XElement.Parse($"<svg{part.Split("</svg>")[0]}</svg>"))];

    private static IEnumerable<string> Titles(XElement plot) => plot.Descendants("title").Select(title => title.Value);

    private static SweepResults Results(string completion) => new(s_strengths, 2, ["proxy", "gold"],
        [.. from prompt in Enumerable.Range(0, 8)
            from strength in s_strengths
            from sample in Enumerable.Range(0, 2)
            select new SweepRow
            {
                PromptIndex = prompt,
                Prompt = "Once <b>",
                Strength = strength,
                Sample = sample,
                Seed = prompt,
                Completion = completion,
                Tokens = 3,
                IsFinished = true,
                Kl = strength * strength,
                LogProbs = new SequenceLogProbs(-2, -3, -1),
                Rewards = [-(strength - 2) * (strength - 2) + .1 * prompt * sample, strength],
            }]);
}
