using DeRa.Serving.Rewards;
using DeRa.Serving.Statistics;

namespace DeRa.Serving.Sweeps.Plans;

/// <summary>The first reward of each prompt at each strength, the mean over its completions that have a score.</summary>
/// <param name="strengths">All strengths, rising.</param>
internal sealed class PromptScores(IReadOnlyList<double> strengths)
{
    private readonly Dictionary<int, double>[] _scores = [.. strengths.Select(_ => new Dictionary<int, double>())];
    private readonly HashSet<int> _failed = [];

    /// <summary>Adds rows.</summary>
    public void Add(IEnumerable<SweepRow> rows)
    {
        foreach (var group in rows.GroupBy(row => (row.PromptIndex, row.Strength)))
            if (group.Average(row => row.Rewards[0]) is { } mean) _scores[Place(group.Key.Strength)][group.Key.PromptIndex] = mean;
            else _failed.Add(group.Key.PromptIndex);
    }

    /// <summary>The first prompts, but for those without a score at some strength that ran there.</summary>
    /// <param name="until">How many are looked at.</param>
    /// <exception cref="RewardException">There is none.</exception>
    public IReadOnlyList<int> Common(int until) =>
        Enumerable.Range(0, until).Where(prompt => !_failed.Contains(prompt)).ToList() is { Count: > 0 } common ? common
            : throw new RewardException("the first reward has a score at every strength for no prompt");

    /// <summary>The mean over some prompts, all of which have a score there.</summary>
    public double Mean(int place, IReadOnlyList<int> prompts) =>
        prompts.Average(prompt => _scores[place][prompt]);

    /// <summary>How far a strength is above another one, prompt by prompt.</summary>
    public Interval Difference(int place, int other, IReadOnlyList<int> prompts) =>
        PairedDifference.Of([.. prompts.Select(prompt => _scores[place][prompt] - _scores[other][prompt])]);

    private int Place(double strength)
    {
        for (var place = 0; place < strengths.Count; place++)
            if (strengths[place] == strength) return place;
        throw new FormatException($"the results have a strength that is not searched, {strength}; --force begins them anew");
    }
}
