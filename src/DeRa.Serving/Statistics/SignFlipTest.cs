namespace DeRa.Serving.Statistics;

/// <summary>
/// Fisher's randomisation test of paired differences (1935): were there no difference, each one's sign would be a coin's toss.
/// </summary>
public static class SignFlipTest
{
    /// <summary>Differences whose sums may differ by rounding alone are equal.</summary>
    private const double Rounding = 1e-12;

    /// <summary>
    /// The share of ways to give the differences signs whose sum is at least as far from 0 as the one there is. All ways are counted where
    /// there are no more than <paramref name="flips"/>, else so many are drawn, and the one there is counts too.
    /// </summary>
    /// <param name="differences">One for each pair; at least one.</param>
    /// <param name="flips">Ways at most, ≥ 1.</param>
    /// <param name="seed">Of the draws: equal seeds give equal shares.</param>
    /// <returns>The two-sided p-value, in (0, 1].</returns>
    public static double PValue(IReadOnlyList<double> differences, int flips = 100_000, int seed = 0)
    {
        if (differences.Count == 0) throw new ArgumentException("a test needs differences", nameof(differences));
        ArgumentOutOfRangeException.ThrowIfLessThan(flips, 1);

        var there = Math.Abs(differences.Sum()) - Rounding * differences.Sum(Math.Abs);
        var isExact = differences.Count < 31 && 1 << differences.Count <= flips;
        var (ways, far, random) = (isExact ? 1 << differences.Count : flips, 0, new Random(seed));
        for (var way = 0; way < ways; way++)
        {
            var (sum, signs) = (0.0, (long)way);
            for (var i = 0; i < differences.Count; i++, signs >>= 1)
            {
                if (!isExact && i % 62 == 0) signs = random.NextInt64();
                sum += (signs & 1) == 0 ? differences[i] : -differences[i];
            }
            if (Math.Abs(sum) >= there) far++;
        }
        return isExact ? (double)far / ways : (far + 1.0) / (ways + 1);
    }
}
