namespace DeRa.Serving.Sweeps.Reports;

/// <summary>A point of a plot.</summary>
/// <param name="X">Finite.</param>
/// <param name="Y">Finite.</param>
/// <param name="Low">The lower bound of its interval; null = none.</param>
/// <param name="High">The upper bound.</param>
/// <param name="Label">Text beside it; null = none.</param>
internal readonly record struct PlotPoint(double X, double Y, double? Low = null, double? High = null, string? Label = null);

/// <summary>How the points of a layer are joined.</summary>
internal enum PlotLine
{
    /// <summary>They are not.</summary>
    None,

    /// <summary>By a line.</summary>
    Solid,

    /// <summary>By a dashed line.</summary>
    Dashed,
}

/// <summary>What is drawn in one colour.</summary>
/// <param name="Name">Its entry in the legend.</param>
/// <param name="Colour">1 to <see cref="Colours"/>.</param>
/// <param name="Points">By x.</param>
internal sealed record PlotLayer(string Name, int Colour, IReadOnlyList<PlotPoint> Points)
{
    /// <summary>Colours that the page defines.</summary>
    public const int Colours = 4;

    /// <summary>How the points are joined.</summary>
    public PlotLine Line { get; init; } = PlotLine.Solid;

    /// <summary>Whether the points are drawn.</summary>
    public bool HasDots { get; init; } = true;

    /// <summary>Whether labels stand below their points, not above.</summary>
    public bool AreLabelsBelow { get; init; }
}
