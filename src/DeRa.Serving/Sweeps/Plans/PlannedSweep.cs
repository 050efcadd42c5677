namespace DeRa.Serving.Sweeps.Plans;

/// <summary>Runs a plan into a folder. What the folder holds already is not run again.</summary>
/// <param name="run">What generates and scores.</param>
/// <param name="plan">What runs.</param>
/// <param name="folder">Where rows go.</param>
/// <param name="samples">Completions of a prompt at a strength.</param>
/// <param name="rewards">The rewards' names.</param>
public sealed class PlannedSweep(SweepRun run, ISweepPlan plan, SweepFolder folder, int samples, IReadOnlyList<string> rewards)
{
    /// <summary>Runs it to its end.</summary>
    /// <param name="prompts">All prompts.</param>
    /// <param name="begun">Receives each round, with how many of its units are there already.</param>
    /// <param name="done">Called when another unit is done.</param>
    /// <param name="cancellation">Stops it; what is done is in the folder.</param>
    /// <returns>All rows.</returns>
    /// <exception cref="FormatException">A prompt cannot be run, or the folder holds something else.</exception>
    public async Task<IReadOnlyList<SweepRow>> RunAsync(
        IReadOnlyList<SweepPrompt> prompts, Action<SweepRound, int> begun, Action done, CancellationToken cancellation)
    {
        var (saved, rows) = (folder.Read(rewards), new List<SweepRow>());
        while (plan.Next(rows) is { } round)
        {
            var first = 0;
            for (; first < round.Units.Count && rows.Count + RowsOf(round.Units[first]) <= saved.Count; first++)
                rows.AddRange(saved.Skip(rows.Count).Take(RowsOf(round.Units[first])));
            folder.Keep(first < round.Units.Count ? rows.Count : saved.Count);
            begun(round, first);
            await foreach (var own in run.RunAsync(prompts, round.Units.Skip(first), cancellation))
            {
                folder.Add(own.Select(row => row.ToJson(rewards)));
                rows.AddRange(own);
                done();
                // What is under way may be done already, and would be waited for.
                cancellation.ThrowIfCancellationRequested();
            }
        }
        return rows;
    }

    private int RowsOf(SweepUnit unit) => unit.Strengths.Count * samples;
}
