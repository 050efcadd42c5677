using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Plans;

/// <summary>All prompts at all strengths, in one round.</summary>
/// <param name="settings">The strengths.</param>
/// <param name="prompts">How many prompts.</param>
public sealed class GridPlan(SweepSettings settings, int prompts) : ISweepPlan
{
    /// <inheritdoc/>
    public SweepRound? Next(IReadOnlyList<SweepRow> rows) => rows.Count > 0 ? null
        : new SweepRound([.. Enumerable.Range(0, prompts).Select(prompt => new SweepUnit(prompt, settings.Strengths))], "");

    /// <inheritdoc/>
    public SweepResults Results(IReadOnlyList<SweepRow> rows, IReadOnlyList<string> rewards) =>
        new(settings.Strengths, settings.Samples, rewards, rows) { AreDrawnByMixture = settings.AreDrawnByMixture };
}
