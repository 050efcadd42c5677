namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>
/// R(λ) − R(0) = d·(a − b·log d) with d = √KL, by least squares: the form that Gao et al. (2023, "Scaling Laws for Reward Model
/// Overoptimization", for RL) found for a gold reward.
/// </summary>
/// <param name="A">Reward for each unit of d, near the reference.</param>
/// <param name="B">How soon it falls off; above 0 the curve has a peak.</param>
/// <param name="RSquared">1 less the share of the variation that it leaves.</param>
public sealed record KlFit(double A, double B, double RSquared)
{
    /// <summary>The distance √KL at which the fitted curve is highest; null = it has no peak.</summary>
    public double? Peak => B > 0 ? Math.Exp(A / B - 1) : null;

    /// <summary>The fitted gain over the reference.</summary>
    /// <param name="distance">√KL, at least 0.</param>
    public double Gain(double distance) => distance > 0 ? distance * (A - B * Math.Log(distance)) : 0;

    /// <summary>Fits it.</summary>
    /// <param name="points">Distances √KL and gains over the reference; those at a distance of 0 say nothing.</param>
    /// <returns>The fit, or null with fewer than three distances above 0.</returns>
    public static KlFit? Of(IEnumerable<(double Distance, double Gain)> points)
    {
        var used = points.Where(point => point.Distance > 0).ToArray();
        if (used.Select(point => point.Distance).Distinct().Count() < 3) return null;
        double xx = 0, xz = 0, zz = 0, xy = 0, zy = 0;
        foreach (var (x, y) in used)
        {
            var z = -x * Math.Log(x);
            (xx, xz, zz, xy, zy) = (xx + x * x, xz + x * z, zz + z * z, xy + x * y, zy + z * y);
        }
        var determinant = xx * zz - xz * xz;
        if (Math.Abs(determinant) < 1e-12 * xx * zz) return null;
        var fit = new KlFit((xy * zz - zy * xz) / determinant, (xx * zy - xz * xy) / determinant, 0);
        var mean = used.Average(point => point.Gain);
        var (left, all) = (used.Sum(point => Square(point.Gain - fit.Gain(point.Distance))), used.Sum(point => Square(point.Gain - mean)));
        return fit with { RSquared = all > 0 ? 1 - left / all : double.NaN };
    }

    private static double Square(double value) => value * value;
}
