using DeRa.Lab.Reports;
using Xunit;

namespace DeRa.Lab.Tests.Reports;

public sealed class StrengthPlotTests
{
    [Fact]
    public void Look()
    {
        PlotPoint P(double x, double y, double w) => new(x, new(y, y - w, y + w));
        var n = Enumerable.Range(0, 11).Select(i => i * .2).ToArray();
        var plot = new StrengthPlot("Length reward: DeRa and retraining", "mean reward", [
            new("DeRa at λ", [.. n.Select(x => P(x, -.92 + .75 * Math.Tanh(x), .03))]),
            new("retrained at β/λ", [.. n.Select(x => P(x, -.92 + .72 * Math.Tanh(1.1 * x), .035))]),
            new("weight interpolation", [.. n.Select(x => P(x, -.92 + .6 * x - .2 * x * x, .02))]),
        ]);
        plot.Save("/tmp/look");
    }
}
