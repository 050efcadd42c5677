using DeRa.Serving.Sweeps.Summaries;

namespace DeRa.Serving.Sweeps.Plans;

/// <summary>Which prompts run at which strengths, round by round.</summary>
public interface ISweepPlan
{
    /// <summary>The next round.</summary>
    /// <param name="rows">The rows of all rounds before it, in order. Equal rows give equal rounds.</param>
    /// <returns>The round, or null when there is nothing left to run.</returns>
    SweepRound? Next(IReadOnlyList<SweepRow> rows);

    /// <summary>What a summary is about: strengths that have all run on the same prompts.</summary>
    /// <param name="rows">The rows of all rounds.</param>
    /// <param name="rewards">The rewards' names.</param>
    SweepResults Results(IReadOnlyList<SweepRow> rows, IReadOnlyList<string> rewards);
}
