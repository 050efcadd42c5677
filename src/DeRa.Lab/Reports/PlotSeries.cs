namespace DeRa.Lab.Reports;

/// <summary>One line of a plot.</summary>
/// <param name="Name">Its entry in the legend.</param>
/// <param name="Points">In the order of their strengths.</param>
public sealed record PlotSeries(string Name, IReadOnlyList<PlotPoint> Points);

/// <summary>What was measured at one strength λ.</summary>
public readonly record struct PlotPoint(double Strength, Interval Value);
