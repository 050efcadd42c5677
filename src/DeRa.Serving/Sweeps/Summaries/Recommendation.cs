using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>The strength at which a reward is highest.</summary>
public sealed record Recommendation
{
    /// <param name="strengths">Rising.</param>
    /// <param name="shares">How often each is the highest in resamples of the prompts; they sum to 1.</param>
    /// <param name="means">The reward at each.</param>
    public Recommendation(IReadOnlyList<double> strengths, IReadOnlyList<double> shares, IReadOnlyList<Interval> means)
    {
        Place = Enumerable.Range(0, strengths.Count).MaxBy(i => means[i].Estimate);
        Strength = new Interval(strengths[Place],
            Math.Min(strengths[Place], Quantile(.025)), Math.Max(strengths[Place], Quantile(.975)));
        IsAtEdge = strengths.Count > 1 && (Place == 0 || Place == strengths.Count - 1);

        double Quantile(double probability)
        {
            var sum = 0.0;
            for (var i = 0; i < strengths.Count; i++)
                if ((sum += shares[i]) >= probability) return strengths[i];
            return strengths[^1];
        }
    }

    /// <summary>Which strength.</summary>
    public int Place { get; }

    /// <summary>The strength, and between which ones 95 % of the resamples have their highest.</summary>
    public Interval Strength { get; }

    /// <summary>Whether it is the lowest or highest that was tried, so that the best may lie beyond.</summary>
    public bool IsAtEdge { get; }

    /// <summary>
    /// The KL strength β/λ at which training once more gives a model near this mixture; ∞ as the upper bound where λ may not be above 0;
    /// null = λ itself is not.
    /// </summary>
    /// <param name="beta">The β that the aligned model was trained at, above 0.</param>
    public Interval? Retrain(double beta) => Strength.Low > 0
        ? new Interval(beta / Strength.Estimate, beta / Strength.High, beta / Strength.Low)
        : Strength.Estimate > 0 ? new Interval(beta / Strength.Estimate, beta / Strength.High, double.PositiveInfinity) : null;
}
