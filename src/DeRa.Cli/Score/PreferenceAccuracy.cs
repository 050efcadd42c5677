using System.Globalization;
using DeRa.Serving.Statistics;

namespace DeRa.Cli.Score;

/// <summary>
/// In how many of the pairs the chosen text beats the rejected one at a strength, a tie counting half, with 95 % intervals of a bootstrap
/// over pairs.
/// </summary>
/// <param name="Strength">The strength's label.</param>
/// <param name="LogProb">By the log-probability of the whole text under the mixture.</param>
/// <param name="Reward">By that less the reference model's own: the implicit reward of the mixture.</param>
internal sealed record PreferenceAccuracy(string Strength, Interval LogProb, Interval Reward)
{
    /// <summary>The first line of a table of them.</summary>
    public const string Header = "alignment_strength,logprob_accuracy,logprob_low,logprob_high,reward_accuracy,reward_low,reward_high";

    /// <summary>Counts the lines of a file of <see cref="ScoreTable.OfPreferences"/>, its header among them.</summary>
    /// <param name="lines">The lines.</param>
    /// <param name="labels">The strengths, as they follow each other for each pair.</param>
    public static IEnumerable<PreferenceAccuracy> Count(IEnumerable<string> lines, IReadOnlyList<string> labels)
    {
        var wins = labels.Select(_ => (LogProb: new List<double>(), Reward: new List<double>())).ToArray();
        foreach (var (index, line) in lines.Skip(1).Index())
        {
            var cells = line.Split(',');
            wins[index % labels.Count].LogProb.Add(Win(cells[4], cells[5]));
            wins[index % labels.Count].Reward.Add(Win(cells[6], cells[7]));
        }
        return wins.Zip(labels, (win, label) => new PreferenceAccuracy(label, Mean(win.LogProb), Mean(win.Reward)));
    }

    /// <summary>A line of the table.</summary>
    public string Line
    {
        get
        {
            double[] shares = [LogProb.Estimate, LogProb.Low, LogProb.High, Reward.Estimate, Reward.Low, Reward.High];
            return string.Join(',', shares.Select(share => share.ToString("0.####", CultureInfo.InvariantCulture)).Prepend(Strength));
        }
    }

    private static double Win(string chosen, string rejected) =>
        Number(chosen).CompareTo(Number(rejected)) switch { > 0 => 1, < 0 => 0, _ => .5 };

    private static double Number(string cell) => double.Parse(cell, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static Interval Mean(List<double> wins) => Bootstrap.ClusterMeanInterval([.. wins.Select(win => new[] { win })]);
}
