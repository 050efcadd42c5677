namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Which strengths are shown where not all can be.</summary>
internal static class EvenPlaces
{
    /// <summary>Places evenly over all, both ends among them, some moved to those that must be there.</summary>
    /// <param name="count">How many there are.</param>
    /// <param name="most">How many are shown at most; at least two more than <paramref name="needed"/> has.</param>
    /// <param name="needed">Those that must be there.</param>
    /// <returns>Rising.</returns>
    public static int[] Of(int count, int most, params IReadOnlyList<int> needed)
    {
        if (count <= most) return [.. Enumerable.Range(0, count)];
        var places = Enumerable.Range(0, most).Select(i => (int)Math.Round(i * (count - 1.0) / (most - 1))).ToArray();
        foreach (var place in needed.Except(places).ToList())
            places[Enumerable.Range(1, most - 2).Where(i => !needed.Contains(places[i])).MinBy(i => Math.Abs(places[i] - place))] = place;
        return [.. places.Order()];
    }
}
