using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>Whether draws follow a distribution.</summary>
internal static class DrawLaw
{
    /// <summary>Pearson's test; outcomes that are expected fewer than five times count as one.</summary>
    /// <param name="expected">Probabilities.</param>
    /// <param name="counts">How often each was drawn.</param>
    public static void AssertFollow(IReadOnlyList<double> expected, IReadOnlyList<int> counts)
    {
        var (draws, statistic, bins, restExpected, rest) = (counts.Sum(), 0.0, 0, 0.0, 0);
        for (var outcome = 0; outcome < expected.Count; outcome++)
        {
            if (expected[outcome] == 0) Assert.Equal(0, counts[outcome]);
            if (expected[outcome] * draws < 5)
            {
                restExpected += expected[outcome] * draws;
                rest += counts[outcome];
                continue;
            }
            statistic += Square(counts[outcome] - expected[outcome] * draws) / (expected[outcome] * draws);
            bins++;
        }
        if (restExpected >= 5) (statistic, bins) = (statistic + Square(rest - restExpected) / restExpected, bins + 1);
        Assert.True(bins > 1 && statistic < Quantile(bins - 1), $"χ² = {statistic} of {bins} bins");
    }

    private static double Square(double value) => value * value;

    /// <summary>Of χ², at about 1 − 10⁻⁴ (Wilson and Hilferty 1931).</summary>
    private static double Quantile(int degrees)
    {
        var part = 2.0 / (9 * degrees);
        return degrees * Math.Pow(1 - part + 3.72 * Math.Sqrt(part), 3);
    }
}
