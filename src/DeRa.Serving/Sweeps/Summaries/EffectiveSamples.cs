using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>
/// Effective sample sizes (Kong 1992), (Σw)²/Σw² over a prompt's completions, towards the mixture of whole texts at a strength, which is
/// what a model trained at β/λ approximates: how many completions drawn from it those that there are stand for. Each is a mean over
/// prompts, from 1 to the number of samples, with a 95 % interval of a bootstrap over prompts; NaN where it is not known: fewer than two
/// samples, completions that the mixture alone did not draw, or no log-probabilities.
/// </summary>
/// <param name="Own">Of the strength's own completions: w = e^W, W = Σ log Z, because its mixture drew token by token.</param>
/// <param name="FromReference">Of the completions at λ = 0.</param>
/// <param name="FromAligned">Of the completions at λ = 1.</param>
public sealed record EffectiveSamples(Interval Own, Interval FromReference, Interval FromAligned)
{
    private static readonly Interval s_unknown = Interval.Exact(double.NaN);

    /// <summary>Measures them.</summary>
    /// <param name="results">The sweep's rows.</param>
    /// <param name="strength">The place of the strength.</param>
    public static EffectiveSamples Of(SweepResults results, int strength) => new(
        Of(results, strength, strength), Of(results, results.Reference, strength), Of(results, results.Aligned, strength));

    /// <summary>The size of one sample.</summary>
    /// <param name="logWeights">At least one; some constant may be missing from all.</param>
    /// <returns>From 1 to their number.</returns>
    public static double Size(IReadOnlyList<double> logWeights)
    {
        var highest = logWeights.Max();
        var weights = logWeights.Select(weight => Math.Exp(weight - highest)).ToArray();
        return weights.Sum() * weights.Sum() / weights.Sum(weight => weight * weight);
    }

    private static Interval Of(SweepResults results, int? drawn, int target)
    {
        if (drawn is not { } source || results.Samples < 2 || !results.AreDrawnByMixture) return s_unknown;
        if (results.Rows.Any(row => row.LogProbs is null)) return s_unknown;
        return Bootstrap.ClusterMeanInterval([.. Enumerable.Range(0, results.PromptCount).Select(prompt => (double[])
            [Size([.. results.Of(prompt, source).Select(row => row.LogProbs!.LogWeight(results.Strengths[target]))])])]);
    }
}
