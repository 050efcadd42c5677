namespace DeRa.Lab.Tests.Objectives;

/// <summary>Distributions and distances in closed form, in plain loops.</summary>
internal static class ClosedForm
{
    /// <summary>π* ∝ π_ref·exp(r/β), the optimum of E[r] − β·KL(π‖π_ref).</summary>
    public static double[] Optimum(double[] reference, double[] rewards, double beta) =>
        Normalised([.. reference.Zip(rewards, (p, r) => p * Math.Exp(r / beta))]);

    /// <summary>
    /// GRPO's fixed point for completions of one token. Its expected on-policy gradient is Σ_y (π·A − β·(π − π_ref))·∇log π
    /// with A = (r − E[r])/s; both terms sum to 0, so each factor must vanish: π = β·s·π_ref/(E[r] + β·s − r), where s is the
    /// standard deviation of r under π itself.
    /// </summary>
    public static double[] GrpoFixedPoint(double[] reference, double[] rewards, double beta)
    {
        // For s near 0 the deviation under the solution is above s, for s beyond the range of r below it.
        double[] At(double s) => WithoutStandardDeviation(reference, rewards, beta * s);
        return At(Bisect(0, rewards.Max() - rewards.Min(), s => Deviation(At(s), rewards) > s));
    }

    /// <summary>π = β·π_ref/(c − r) with the c above max r that makes it sum to 1.</summary>
    public static double[] WithoutStandardDeviation(double[] reference, double[] rewards, double beta)
    {
        double[] At(double c) => [.. reference.Zip(rewards, (p, r) => beta * p / (c - r))];
        var c = Bisect(rewards.Max(), rewards.Max() + beta, c => At(c).Sum() > 1);
        return Normalised(At(c));
    }

    public static double Mean(double[] distribution, double[] values) => distribution.Zip(values, (p, v) => p * v).Sum();

    public static double Kl(double[] p, double[] q) => p.Zip(q, (a, b) => a * Math.Log(a / b)).Sum();

    public static double TotalVariation(double[] p, double[] q) => p.Zip(q, (a, b) => Math.Abs(a - b)).Sum() / 2;

    private static double Deviation(double[] distribution, double[] values)
    {
        var mean = Mean(distribution, values);
        return Math.Sqrt(Mean(distribution, [.. values.Select(v => (v - mean) * (v - mean))]));
    }

    private static double[] Normalised(double[] weights) => [.. weights.Select(w => w / weights.Sum())];

    private static double Bisect(double low, double high, Predicate<double> isLow)
    {
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            if (isLow(middle)) low = middle;
            else high = middle;
        }
        return (low + high) / 2;
    }
}
