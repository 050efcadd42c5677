using DeRa.Serving.Rewards;
using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>A reward against the strength. Only prompts count that have a score at every strength.</summary>
public sealed class RewardCurve
{
    private readonly SweepResults _results;
    private readonly int _reward;
    private readonly List<int> _prompts;

    /// <param name="results">The sweep's rows.</param>
    /// <param name="reward">Which reward.</param>
    /// <exception cref="RewardException">No prompt has a score at every strength.</exception>
    public RewardCurve(SweepResults results, int reward)
    {
        (_results, _reward) = (results, reward);
        var strengths = Enumerable.Range(0, results.Strengths.Count).ToArray();
        _prompts = [.. Enumerable.Range(0, results.PromptCount).Where(prompt =>
            strengths.All(strength => results.Of(prompt, strength).Any(row => row.Rewards[reward] is not null)))];
        if (_prompts.Count == 0) throw new RewardException($"reward {Name}: no prompt has a score at every strength");
        Failed = results.Rows.Count(row => row.Rewards[reward] is null);
        Means = [.. strengths.Select(strength => Bootstrap.ClusterMeanInterval([.. _prompts.Select(prompt => Scores(prompt, strength))]))];
        Differences = [.. strengths.Select(strength => Bootstrap.ClusterMeanInterval(
            [.. DifferencesByPrompt(strength, results.Baseline).Select(difference => (double[])[difference])]))];
        Recommendation = new Recommendation(results.Strengths, Bootstrap.HighestShares(
            [.. strengths.Select(strength => _prompts.Select(prompt => Scores(prompt, strength).Average()).ToArray())]), Means);
    }

    /// <summary>The reward.</summary>
    public string Name => _results.Rewards[_reward];

    /// <summary>Completions without a score.</summary>
    public int Failed { get; }

    /// <summary>At each strength the mean over all completions, with its 95 % interval of a bootstrap over prompts.</summary>
    public IReadOnlyList<Interval> Means { get; }

    /// <summary>At each strength what the mean is above that of <see cref="SweepResults.Baseline"/>, prompt by prompt.</summary>
    public IReadOnlyList<Interval> Differences { get; }

    /// <summary>Where it is highest.</summary>
    public Recommendation Recommendation { get; }

    /// <summary>Of each prompt that counts, what its mean at a strength is above that at another one.</summary>
    /// <param name="strength">The strength's place.</param>
    /// <param name="other">The other's place.</param>
    public IReadOnlyList<double> DifferencesByPrompt(int strength, int other) =>
        [.. _prompts.Select(prompt => Scores(prompt, strength).Average() - Scores(prompt, other).Average())];

    /// <summary>The expected reward of the best of n completions, by the samples of a strength, without bias.</summary>
    /// <param name="strength">Its place.</param>
    /// <param name="n">1 to the number of samples.</param>
    public double BestOf(int strength, int n) => _prompts.Average(prompt => BestOf(Scores(prompt, strength), n));

    /// <summary>
    /// Variance of the difference of one completion's score from its counterpart's at the baseline: with the same draws for both, and with
    /// other draws of the same prompt. NaN where there are too few samples.
    /// </summary>
    /// <param name="strength">Its place.</param>
    public (double SameDraws, double OtherDraws) DifferenceVariance(int strength) =>
        (DifferenceVariance(strength, 0), _results.Samples > 1 ? DifferenceVariance(strength, 1) : double.NaN);

    private double DifferenceVariance(int strength, int shift)
    {
        var differences = (from prompt in _prompts
                           from sample in Enumerable.Range(0, _results.Samples)
                           let there = _results.Row(prompt, strength, sample).Rewards[_reward]
                           let here = _results.Row(prompt, _results.Baseline, (sample + shift) % _results.Samples).Rewards[_reward]
                           where there is not null && here is not null
                           select there!.Value - here!.Value).ToArray();
        if (differences.Length < 2) return double.NaN;
        var mean = differences.Average();
        return differences.Sum(difference => (difference - mean) * (difference - mean)) / (differences.Length - 1);
    }

    private double[] Scores(int prompt, int strength) =>
        [.. _results.Of(prompt, strength).Where(row => row.Rewards[_reward] is not null).Select(row => row.Rewards[_reward]!.Value)];

    /// <summary>The mean over all subsets of n: the i-th lowest is the best of C(i − 1, n − 1) of the C(N, n).</summary>
    private static double BestOf(double[] scores, int n)
    {
        n = Math.Min(n, scores.Length);
        var (expected, weight) = (0.0, n / (double)scores.Length);
        foreach (var (rank, score) in scores.OrderDescending().Index())
        {
            expected += weight * score;
            // C(N − 2 − rank, n − 1) / C(N − 1 − rank, n − 1).
            var others = scores.Length - 1 - rank;
            weight *= others > 0 ? Math.Max(0, others - (n - 1)) / (double)others : 0;
        }
        return expected;
    }
}
