namespace DeRa.Serving.Statistics;

/// <summary>Student's interval of a mean of paired differences.</summary>
public static class PairedDifference
{
    /// <summary>The normal distribution's 99.5 % quantile: intervals are two-sided 99 % ones.</summary>
    private const double Z = 2.5758293035489;

    /// <summary>The mean with its 99 % interval; of fewer than two differences nothing is known, so that it is unbounded.</summary>
    /// <param name="differences">One a pair.</param>
    public static Interval Of(IReadOnlyList<double> differences)
    {
        var mean = differences.Count > 0 ? differences.Average() : 0;
        if (differences.Count < 2) return new(mean, double.NegativeInfinity, double.PositiveInfinity);
        var freedom = differences.Count - 1;
        var variance = differences.Sum(difference => (difference - mean) * (difference - mean)) / freedom;
        var half = Quantile(freedom) * Math.Sqrt(variance / differences.Count);
        return new(mean, mean - half, mean + half);
    }

    /// <summary>Student's 99.5 % quantile, by the expansion in 1/freedom (Abramowitz and Stegun 26.7.5).</summary>
    private static double Quantile(int freedom)
    {
        var (z, z2) = (Z, Z * Z);
        var g1 = z * (z2 + 1) / 4;
        var g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
        var g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
        var g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
        var inverse = 1.0 / freedom;
        return z + inverse * (g1 + inverse * (g2 + inverse * (g3 + inverse * g4)));
    }
}
