using System.Diagnostics;
using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Lays out a step: each model whose turn it is runs the tokens that it lacks; what can be decided then is read out, and what cannot is
/// guessed. Owned by the engine's thread.
/// </summary>
/// <param name="limits">What the executor can take.</param>
/// <param name="maxBatchTokens">Tokens that a pass may run for each of its models.</param>
internal sealed class StepBuilder(ExecutorLimits limits, int maxBatchTokens)
{
    private readonly int[] _runnerOfModel = RunnerOfModel(limits);
    private readonly int[] _budget = new int[limits.Runners.Count];
    private readonly int[] _spare = new int[limits.Runners.Count];

    /// <summary>The runner of each model.</summary>
    public static int[] RunnerOfModel(ExecutorLimits limits)
    {
        var runners = new int[limits.ModelCount];
        for (var runner = 0; runner < limits.Runners.Count; runner++)
            foreach (var model in limits.Runners[runner].Models) runners[model] = runner;
        return runners;
    }

    /// <summary>Lays out a step.</summary>
    /// <param name="running">The branches, oldest first.</param>
    /// <param name="turn">Which runners go.</param>
    public StepPlan Build(IReadOnlyList<Branch> running, Turn turn)
    {
        for (var runner = 0; runner < _budget.Length; runner++)
            _budget[runner] = turn.Includes(runner) ? maxBatchTokens * limits.Runners[runner].Models.Count : 0;
        foreach (var branch in running) branch.Step.Clear();
        GiveTokens(running, turn);
        var rows = Array.ConvertAll(_budget, _ => new List<PassRow>());
        var readouts = new List<Readout>(running.Count);
        foreach (var branch in running)
        {
            ReadoutBuilder.Prepare(branch);
            AddRows(branch, rows);
            ReadoutBuilder.Add(branch, turn.Guesses, readouts);
        }
        var passes = new List<ModelPass>(rows.Length);
        for (var runner = 0; runner < rows.Length; runner++)
            if (rows[runner].Count > 0) passes.Add(new ModelPass(runner, rows[runner]));
        return new StepPlan(passes, readouts);
    }

    /// <summary>
    /// One token for each row that decodes, guesses with what is left, then chunks of what others have yet to run, oldest first.
    /// </summary>
    private void GiveTokens(IReadOnlyList<Branch> running, Turn turn)
    {
        _budget.CopyTo(_spare, 0);
        foreach (var branch in running)
            foreach (var model in branch.Strengths.ActiveModels)
                if (Goes(branch, model, turn) && branch.IsDecoding(model)) _spare[_runnerOfModel[model]]--;
        foreach (var decodes in (ReadOnlySpan<bool>)[true, false])
            foreach (var branch in running)
            {
                if (branch.RunsTogether)
                {
                    if (IsDecoding(branch) == decodes) GiveTogether(branch, turn);
                    continue;
                }
                foreach (var model in branch.Strengths.ActiveModels)
                    if (Goes(branch, model, turn) && branch.IsDecoding(model) == decodes) Give(branch, model, Offer(branch, model, 1));
            }
    }

    /// <summary>Whether it is an active model's turn and it lacks tokens.</summary>
    private bool Goes(Branch branch, int model, Turn turn) =>
        turn.Includes(_runnerOfModel[model]) && branch.LackedTokens(model) > 0;

    private static bool IsDecoding(Branch branch)
    {
        foreach (var model in branch.Strengths.ActiveModels)
            if (!branch.IsDecoding(model)) return false;
        return true;
    }

    /// <summary>How many tokens each of some models of one runner may run of a branch.</summary>
    private int Offer(Branch branch, int model, int models)
    {
        var runner = _runnerOfModel[model];
        return branch.IsDecoding(model) ? Math.Min(1 + Math.Max(0, _spare[runner]) / models, _budget[runner]) : _budget[runner] / models;
    }

    private void Give(Branch branch, int model, int most)
    {
        var count = Math.Min(branch.LackedTokens(model), most);
        if (count <= 0) return;
        branch.Step.End[model] = branch.ComputedTokens(model) + count;
        var runner = _runnerOfModel[model];
        _budget[runner] -= count;
        _spare[runner] -= branch.IsDecoding(model) ? count - 1 : count;
    }

    /// <summary>
    /// A branch whose rows are not kept: models that lack more than others catch up first, then all run the same tokens, all their
    /// runners in one step.
    /// </summary>
    private void GiveTogether(Branch branch, Turn turn)
    {
        var active = branch.Strengths.ActiveModels;
        var (least, most, offer) = (int.MaxValue, 0, int.MaxValue);
        foreach (var model in active)
        {
            if (!Goes(branch, model, turn)) return;
            (least, most) = (Math.Min(least, branch.LackedTokens(model)), Math.Max(most, branch.LackedTokens(model)));
            offer = Math.Min(offer, Offer(branch, model, ModelsOfRunner(active, model)));
        }
        branch.Step.Scores = least == most && branch.ScoresPrompt;
        foreach (var model in active)
            if (least == most) Give(branch, model, offer);
            else Give(branch, model, Math.Min(offer, branch.LackedTokens(model) - least));
    }

    private int ModelsOfRunner(IReadOnlyList<int> active, int model)
    {
        var count = 0;
        foreach (var other in active)
            if (_runnerOfModel[other] == _runnerOfModel[model]) count++;
        return count;
    }

    private void AddRows(Branch branch, List<PassRow>[] rows)
    {
        var counted = 0UL;
        foreach (var model in branch.Strengths.ActiveModels)
        {
            if (branch.Step.End[model] == 0) continue;
            var runner = _runnerOfModel[model];
            AddRow(branch, model, rows[runner]);
            if (branch.DecidedTokens == 0 || branch.Step.LastRow[model] < branch.DecidedTokens || (counted >> runner & 1) == 1) continue;
            counted |= 1UL << runner;
            branch.Step.DecodePasses++;
        }
    }

    private static void AddRow(Branch branch, int model, List<PassRow> rows)
    {
        var step = branch.Step;
        var (start, end) = (branch.ComputedTokens(model), step.End[model]);
        var context = branch.ContextOf(model);
        step.Row[model] = rows.Count;
        rows.Add(new PassRow
        {
            Branch = branch.Id,
            Model = model,
            Tokens = context.Tokens[start..end],
            Position = start,
            BlockTable = context.Blocks,
            OutputCount = step.Outputs[model],
            KeptSlots = ReadoutBuilder.KeptSlots(branch, model),
        });
        Debug.Assert(end > start && end <= context.Length);
    }
}
