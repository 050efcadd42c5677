using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;

namespace DeRa.Torch.Execution;

/// <summary>
/// The rows of logits that a plan asks for, in the plan's order: one a scored token, then one for sampling where that follows
/// a token that is not scored.
/// </summary>
internal sealed class StepOutputs
{
    private readonly IReadOnlyList<StepRow> _planRows;
    private readonly int[] _firstOutput;

    /// <summary>Lists what the rows ask for.</summary>
    public StepOutputs(IReadOnlyList<StepRow> planRows)
    {
        _planRows = planRows;
        _firstOutput = new int[planRows.Count];
        var rows = new List<LogitRow>();
        for (var i = 0; i < planRows.Count; i++)
        {
            _firstOutput[i] = rows.Count;
            Add(planRows[i], rows);
        }
        Rows = rows;
    }

    /// <summary>What is wanted of each row of logits.</summary>
    public List<LogitRow> Rows { get; }

    /// <summary>The indices in <see cref="Rows"/> of the outputs of a model that runs these rows of the plan.</summary>
    public int[] IndicesOf(IEnumerable<int> planRows) =>
        [.. planRows.SelectMany(row => Enumerable.Range(_firstOutput[row], ModelStep.OutputCount(_planRows[row])))];

    /// <summary>Gathers the results of each row of the plan.</summary>
    /// <param name="results">One for each of <see cref="Rows"/>.</param>
    public StepResult ToStepResult(IReadOnlyList<LogitRowResult> results)
    {
        var rows = new RowResult[_planRows.Count];
        for (var i = 0; i < rows.Length; i++)
        {
            var own = results.Skip(_firstOutput[i]).Take(ModelStep.OutputCount(_planRows[i])).ToList();
            rows[i] = ToRowResult(_planRows[i], own);
        }
        return new StepResult(rows);
    }

    private static void Add(StepRow row, List<LogitRow> rows)
    {
        for (var i = 0; i < row.ScoredTokens.Length; i++)
            rows.Add(new LogitRow
            {
                Strengths = row.Strengths,
                Score = (row.ScoredTokens.Span[i], row.ScoredAlternatives),
                Sampling = i == row.Tokens.Length - 1 ? row.Sampling : null,
            });
        if (ModelStep.SamplesApart(row)) rows.Add(new LogitRow { Strengths = row.Strengths, Sampling = row.Sampling });
    }

    private static RowResult ToRowResult(StepRow row, List<LogitRowResult> outputs)
    {
        if (outputs.Find(output => output.Error is not null) is { } failed) return new RowResult { Error = failed.Error };
        var scores = outputs.Select(output => output.Score).OfType<TokenLogProbs>().ToList();
        return row.Sampling is null
            ? new RowResult { ScoredLogProbs = scores }
            : new RowResult
            {
                Token = outputs[^1].Token,
                LogProbs = outputs[^1].LogProbs,
                ScoredLogProbs = scores,
                ReferenceDivergence = outputs[^1].ReferenceDivergence,
            };
    }
}
