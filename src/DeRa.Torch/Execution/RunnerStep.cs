using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Execution;

/// <summary>
/// The rows of a plan that one loaded model runs: for each of its members in turn those in which it is active. All of
/// them run in one batched pass.
/// </summary>
internal sealed class RunnerStep
{
    private readonly int[][] _planRows;

    /// <summary>Picks the rows.</summary>
    /// <param name="members">The model's members.</param>
    /// <param name="plan">The plan's rows.</param>
    /// <param name="blockCount">Blocks of each member's part of the pool.</param>
    public RunnerStep(IReadOnlyList<RunnerMember> members, IReadOnlyList<StepRow> plan, int blockCount)
    {
        _planRows = [.. members.Select(member => Where(plan, row => row.Strengths.IsActive(member.Index)))];
        for (var part = 0; part < members.Count; part++)
            foreach (var index in _planRows[part])
            {
                Rows.Add(part == 0 ? plan[index] : plan[index] with
                {
                    BlockTable = new ShiftedBlocks(plan[index].BlockTable, part * blockCount),
                });
                Adapters.Add(members[part].Adapter);
            }
    }

    /// <summary>The rows, their block tables moved to their member's part of the pool.</summary>
    public List<StepRow> Rows { get; } = [];

    /// <summary>Which adapter each row adds.</summary>
    public List<int?> Adapters { get; } = [];

    /// <summary>Which rows of the plan a member runs.</summary>
    /// <param name="part">The member's place among the model's.</param>
    public int[] PlanRows(int part) => _planRows[part];

    /// <summary>Whether another model of the same device and dtype runs the same rows.</summary>
    public bool IsSame(RunnerStep other) =>
        _planRows.Length == 1 && other._planRows.Length == 1 && _planRows[0].AsSpan().SequenceEqual(other._planRows[0]);

    private static int[] Where(IReadOnlyList<StepRow> plan, Predicate<StepRow> runs)
    {
        var indices = new List<int>(plan.Count);
        for (var i = 0; i < plan.Count; i++)
            if (runs(plan[i])) indices.Add(i);
        return [.. indices];
    }
}
