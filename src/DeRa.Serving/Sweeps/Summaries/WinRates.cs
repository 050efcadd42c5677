using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>How often a strength's completion has a higher reward than the one of another strength with the same draws.</summary>
/// <param name="results">The sweep's rows.</param>
/// <param name="reward">Which reward.</param>
public sealed class WinRates(SweepResults results, int reward)
{
    private const double Tie = .5;

    /// <summary>
    /// The share of completions that win against their counterpart of the same prompt and draws, ties counting half, with its 95 %
    /// interval of a bootstrap over prompts. Where either has no score neither counts; NaN where nothing does.
    /// </summary>
    /// <param name="strength">The strength's place.</param>
    /// <param name="opponent">The other's place.</param>
    public Interval Of(int strength, int opponent)
    {
        var prompts = Enumerable.Range(0, results.PromptCount).Select(prompt => Points(prompt, strength, opponent).ToArray())
            .Where(points => points.Length > 0).ToArray();
        return prompts.Length > 0 ? Bootstrap.ClusterMeanInterval(prompts) : Interval.Exact(double.NaN);
    }

    private IEnumerable<double> Points(int prompt, int strength, int opponent) =>
        from pair in results.Of(prompt, strength).Zip(results.Of(prompt, opponent))
        let own = pair.First.Rewards[reward]
        let other = pair.Second.Rewards[reward]
        where own is not null && other is not null
        select own > other ? 1 : own < other ? 0 : Tie;
}
