namespace DeRa.Engine.Scheduling;

/// <summary>What of a plan belongs to one branch.</summary>
internal static class BranchPlan
{
    /// <summary>The branches of a plan, each once.</summary>
    public static IReadOnlyList<int> Branches(StepPlan plan) =>
        [.. plan.Passes.SelectMany(pass => pass.Rows).Select(row => row.Branch)
            .Concat(plan.Readouts.Select(readout => readout.Branch)).Concat(plan.BlockCopies.Select(copy => copy.Branch)).Distinct()];

    /// <summary>One branch's rows and readouts as a plan of their own.</summary>
    public static StepPlan Of(StepPlan plan, int branch)
    {
        var passes = plan.Passes.Select(pass => pass with { Rows = [.. pass.Rows.Where(row => row.Branch == branch)] })
            .Where(pass => pass.Rows.Count > 0).ToList();
        return new StepPlan(passes, [.. plan.Readouts.Where(readout => readout.Branch == branch).Select(readout => readout with
        {
            Sources = [.. readout.Sources.Zip(readout.Strengths.ActiveModels, (source, model) => Moved(plan, branch, source, model))],
        })]);
    }

    /// <summary>The row's place among the branch's own in its pass.</summary>
    private static LogitSource Moved(StepPlan plan, int branch, LogitSource source, int model)
    {
        if (source.Row < 0) return source;
        var rows = plan.Passes.First(pass => pass.Rows.Any(row => row.Branch == branch && row.Model == model)).Rows;
        return source with { Row = rows.Take(source.Row).Count(row => row.Branch == branch) };
    }
}
