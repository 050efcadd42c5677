using DeRa.Serving.Sweeps;
using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Cli.Compare;

/// <summary>What two mixtures give for the same prompts and draws.</summary>
/// <param name="Results">The first's rows at its strength and the second's at its own.</param>
/// <param name="Settings">What was generated, but for the strengths.</param>
/// <param name="First">What generated the first's, by name.</param>
/// <param name="Second">What generated the second's.</param>
internal sealed record Comparison(SweepResults Results, SweepSettings Settings,
    IReadOnlyList<KeyValuePair<string, string>> First, IReadOnlyList<KeyValuePair<string, string>> Second)
{
    /// <summary>One a reward.</summary>
    public IReadOnlyList<PairedComparison> Rewards { get; } =
        [.. Enumerable.Range(0, Results.Rewards.Count).Select(reward => new PairedComparison(Results, reward))];

    /// <summary>Of the first and of the second, what their completions are like.</summary>
    public IReadOnlyList<StrengthFigures> Figures { get; } = [StrengthFigures.Of(Results, 0), StrengthFigures.Of(Results, 1)];
}
