using DeRa.Serving.Rewards;
using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>A reward of two mixtures on the same prompts with the same draws. Only prompts count that have a score of both.</summary>
public sealed class PairedComparison
{
    /// <param name="results">Rows of two strengths, the first's and the second's, in any order and from any pairs.</param>
    /// <param name="reward">Which reward.</param>
    /// <exception cref="RewardException">No prompt has a score of both.</exception>
    public PairedComparison(SweepResults results, int reward)
    {
        if (results.Strengths.Count != 2) throw new ArgumentException("a comparison is of two", nameof(results));
        var curve = new RewardCurve(results, reward);
        var differences = curve.DifferencesByPrompt(1, 0);
        (Name, First, Second, Failed, Prompts) = (curve.Name, curve.Means[0], curve.Means[1], curve.Failed, differences.Count);
        Difference = Bootstrap.ClusterMeanInterval([.. differences.Select(difference => (double[])[difference])]);
        PValue = SignFlipTest.PValue(differences);
        Wins = new WinRates(results, reward).Of(1, 0);
    }

    /// <summary>The reward.</summary>
    public string Name { get; }

    /// <summary>The first's mean over completions, with its 95 % interval of a bootstrap over prompts.</summary>
    public Interval First { get; }

    /// <summary>The second's mean.</summary>
    public Interval Second { get; }

    /// <summary>What the second's mean is above the first's, prompt by prompt.</summary>
    public Interval Difference { get; }

    /// <summary>How likely a difference as large would be were there none, by flips of the prompts' signs; two-sided.</summary>
    public double PValue { get; }

    /// <summary>The share of completions of the second that win against the first's of the same draws, ties counting half.</summary>
    public Interval Wins { get; }

    /// <summary>Prompts that count.</summary>
    public int Prompts { get; }

    /// <summary>Completions without a score.</summary>
    public int Failed { get; }
}
