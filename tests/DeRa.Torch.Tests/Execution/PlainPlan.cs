using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Tests.Execution;

/// <summary>Plain steps: each row through all models that are active in it, one pass a runner.</summary>
internal static class PlainPlan
{
    /// <summary>Runs rows as one step; one result a row.</summary>
    public static IReadOnlyList<TestResult> Run(this IStepExecutor executor, params IReadOnlyList<TestRow> rows)
    {
        var results = executor.Execute(Of(executor.Limits, rows)).Readouts;
        var next = 0;
        return [.. rows.Select(row => Enumerable.Range(0, Readouts(row)).Select(_ => results[next++]).ToList())
            .Select(own => new TestResult(own))];
    }

    /// <summary>The plan of rows; each is the branch of its index.</summary>
    public static StepPlan Of(ExecutorLimits limits, params IReadOnlyList<TestRow> rows)
    {
        var places = new Dictionary<(int Branch, int Model), int>();
        var passes = new List<ModelPass>();
        for (var runner = 0; runner < limits.Runners.Count; runner++)
        {
            var own = new List<PassRow>();
            foreach (var (branch, row) in rows.Index())
                foreach (var model in limits.Runners[runner].Models.Where(row.Strengths.IsActive))
                {
                    places.Add((branch, model), own.Count);
                    own.Add(row.ToPassRow(branch, model));
                }
            if (own.Count > 0) passes.Add(new ModelPass(runner, own));
        }
        return new StepPlan(passes, [.. rows.Index().SelectMany(item => Enumerable.Range(0, Readouts(item.Item))
            .Select(output => Readout(item.Item, item.Index, output, places)))]);
    }

    private static int Readouts(TestRow row) => row.ScoredTokens.Length + (SamplesApart(row) ? 1 : 0);

    /// <summary>Whether the token that sampling follows is not among the scored ones.</summary>
    private static bool SamplesApart(TestRow row) => row.Sampling is not null && row.ScoredTokens.Length < row.Tokens.Length;

    private static Readout Readout(TestRow row, int branch, int index, Dictionary<(int Branch, int Model), int> places)
    {
        var isScored = index < row.ScoredTokens.Length;
        var output = isScored ? index : row.OutputCount - 1;
        return new Readout
        {
            Branch = branch,
            Strengths = row.Strengths,
            Sources = [.. row.Strengths.ActiveModels.Select(model => LogitSource.Of(places[(branch, model)], output))],
            Sampling = output == row.OutputCount - 1 ? row.Sampling : null,
            Score = isScored ? new ScoredToken(row.ScoredTokens.Span[index], row.ScoredAlternatives) : null,
        };
    }
}
