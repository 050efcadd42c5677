namespace DeRa.Lab.Tests.Sampling;

/// <summary>Pearson's statistic of counts against probabilities; cells of fewer than five expected are taken together.</summary>
internal static class ChiSquare
{
    /// <summary>
    /// How many standard deviations the statistic lies above its mean, k ± √(2k) for k degrees of freedom. Beyond 6 no sample of
    /// the distribution is to be expected (k from 5: less than one in 10⁵).
    /// </summary>
    public static double Excess(IReadOnlyList<double> probabilities, IReadOnlyList<int> counts)
    {
        var samples = counts.Sum();
        var cells = probabilities.Zip(counts, (p, count) => (Expected: p * samples, Count: (double)count)).ToList();
        var rare = cells.Where(cell => cell.Expected < 5).ToList();
        cells.RemoveAll(cell => cell.Expected < 5);
        if (rare.Sum(cell => cell.Expected) is > 0 and var expected) cells.Add((Math.Max(1, expected), rare.Sum(cell => cell.Count)));
        var freedom = cells.Count - 1;
        return (cells.Sum(cell => Math.Pow(cell.Count - cell.Expected, 2) / cell.Expected) - freedom) / Math.Sqrt(2 * freedom);
    }
}
