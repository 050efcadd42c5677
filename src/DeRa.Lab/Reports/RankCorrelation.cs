namespace DeRa.Lab.Reports;

/// <summary>Whether two quantities rise together, whatever the shape of their relation.</summary>
internal static class RankCorrelation
{
    /// <summary>Spearman's ρ in [−1, 1]: Pearson's correlation of the ranks, where equal values share their mean rank.</summary>
    /// <returns>ρ, or NaN where one side is constant.</returns>
    /// <exception cref="ArgumentException">The lists differ in length or have fewer than two values.</exception>
    public static double Spearman(IReadOnlyList<double> first, IReadOnlyList<double> second)
    {
        if (first.Count != second.Count || first.Count < 2)
            throw new ArgumentException($"a correlation needs two lists of one length, at least 2, not {first.Count} and {second.Count}");
        return Pearson(Ranks(first), Ranks(second));
    }

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        var order = Enumerable.Range(0, values.Count).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Count];
        for (int start = 0, end; start < order.Length; start = end)
        {
            for (end = start + 1; end < order.Length && values[order[end]] == values[order[start]];) end++;
            for (var i = start; i < end; i++) ranks[order[i]] = (start + end + 1) / 2.0;
        }
        return ranks;
    }

    private static double Pearson(double[] first, double[] second)
    {
        var (firstMean, secondMean) = (first.Average(), second.Average());
        double covariance = 0, firstVariance = 0, secondVariance = 0;
        for (var i = 0; i < first.Length; i++)
        {
            var (x, y) = (first[i] - firstMean, second[i] - secondMean);
            covariance += x * y;
            firstVariance += x * x;
            secondVariance += y * y;
        }
        return covariance / Math.Sqrt(firstVariance * secondVariance);
    }
}
