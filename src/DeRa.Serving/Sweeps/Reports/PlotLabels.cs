namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Finds places for the labels of points, where neither points nor other labels are.</summary>
/// <param name="left">The plot's bounds.</param>
/// <param name="top">See there.</param>
/// <param name="right">See there.</param>
/// <param name="bottom">See there.</param>
internal sealed class PlotLabels(double left, double top, double right, double bottom)
{
    /// <summary>Of the font on narrow screens, where it is largest.</summary>
    private const double CharacterWidth = 9.5, LineHeight = 18;

    private const double DotRadius = 4, Gap = 7;

    private readonly List<Box> _taken = [];

    /// <summary>A point that no label may hide.</summary>
    public void AddDot(double x, double y) => _taken.Add(new Box(x - DotRadius, y - DotRadius, x + DotRadius, y + DotRadius));

    /// <summary>Takes the first free place around a point.</summary>
    /// <param name="x">The point.</param>
    /// <param name="y">See there.</param>
    /// <param name="text">The label.</param>
    /// <param name="isBelow">Whether places below come before those above.</param>
    /// <returns>Where its baseline begins, or with <c>IsEnd</c> ends; null = there is none.</returns>
    public (double X, double Y, bool IsEnd)? Place(double x, double y, string text, bool isBelow)
    {
        var (below, above) = (y + LineHeight, y - Gap);
        (double X, double Y, bool IsEnd)[] places =
        [
            (x, isBelow ? below : above, false), (x, isBelow ? below : above, true), (x, isBelow ? above : below, false),
            (x, isBelow ? above : below, true), (x + Gap, y + Gap - 2, false), (x - Gap, y + Gap - 2, true),
        ];
        foreach (var place in places)
        {
            var width = CharacterWidth * text.Length;
            var begin = place.IsEnd ? place.X - width : place.X;
            var box = new Box(begin, place.Y - LineHeight + DotRadius, begin + width, place.Y + DotRadius - 1);
            if (box.X < left || box.EndX > right || box.Y < top || box.EndY > bottom || _taken.Any(box.Meets)) continue;
            _taken.Add(box);
            return place;
        }
        return null;
    }

    private readonly record struct Box(double X, double Y, double EndX, double EndY)
    {
        public bool Meets(Box other) => X < other.EndX && other.X < EndX && Y < other.EndY && other.Y < EndY;
    }
}
