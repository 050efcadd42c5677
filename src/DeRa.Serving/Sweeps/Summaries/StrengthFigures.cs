using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>What the completions at a strength are like, whatever rewards say.</summary>
/// <param name="Strength">The strength.</param>
/// <param name="Kl">KL(mixture ‖ reference) of a completion in nats: its mean, with a 95 % interval of a bootstrap over prompts.</param>
/// <param name="Tokens">The mean length in tokens.</param>
/// <param name="Finished">The share that ended by themselves.</param>
/// <param name="Distinct1">Distinct words among all words.</param>
/// <param name="Distinct2">Distinct pairs of words among all pairs.</param>
/// <param name="SelfBleu">How alike the completions of a prompt are.</param>
/// <param name="Effective">What they are worth as samples of a model trained at β/λ.</param>
public sealed record StrengthFigures(double Strength, Interval Kl, double Tokens, double Finished, double Distinct1, double Distinct2,
    double SelfBleu, EffectiveSamples Effective)
{
    /// <summary>√KL, the distance from the reference model.</summary>
    public double Distance => Math.Sqrt(Math.Max(0, Kl.Estimate));

    /// <summary>Counts them.</summary>
    /// <param name="results">The sweep's rows.</param>
    /// <param name="strength">Which strength.</param>
    public static StrengthFigures Of(SweepResults results, int strength)
    {
        var rows = results.At(strength).ToList();
        return new StrengthFigures(
            results.Strengths[strength],
            Bootstrap.ClusterMeanInterval([.. Enumerable.Range(0, results.PromptCount)
                .Select(prompt => results.Of(prompt, strength).Select(row => row.Kl).ToArray())]),
            rows.Average(row => (double)row.Tokens),
            rows.Average(row => row.IsFinished ? 1.0 : 0),
            DistinctWords.Share(rows.Select(row => row.Completion), 1),
            DistinctWords.Share(rows.Select(row => row.Completion), 2),
            Summaries.SelfBleu.Of(Enumerable.Range(0, results.PromptCount)
                .Select(prompt => results.Of(prompt, strength).Select(row => row.Completion))),
            EffectiveSamples.Of(results, strength));
    }
}
