using System.Diagnostics;
using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Lays out a step: each model whose turn it is runs the tokens that it lacks; what can be decided then is read out, and what cannot is
/// guessed. Owned by the engine's thread.
/// </summary>
/// <param name="limits">What the executor can take.</param>
/// <param name="maxBatchTokens">Tokens that a pass may run for each of its models.</param>
/// <param name="blocks">The branches' blocks.</param>
internal sealed class StepBuilder(ExecutorLimits limits, int maxBatchTokens, BranchBlocks blocks)
{
    private readonly int[] _runnerOfModel = RunnerOfModel(limits);
    private readonly int[] _budget = new int[limits.Runners.Count];
    private readonly int[] _spare = new int[limits.Runners.Count];
    private readonly List<Client> _readers = [];
    private readonly List<ModelPass> _passes = [];
    private readonly List<PassRow>[] _rows = [.. limits.Runners.Select(_ => new List<PassRow>())]; // by runner
    private readonly ReadoutBuilder _readouts = new();

    /// <summary>Tokens of prompts in the step that was laid out last, in all its passes.</summary>
    public int PromptTokens { get; private set; }

    /// <summary>The runner of each model.</summary>
    public static int[] RunnerOfModel(ExecutorLimits limits)
    {
        var runners = new int[limits.ModelCount];
        for (var runner = 0; runner < limits.Runners.Count; runner++)
            foreach (var model in limits.Runners[runner].Models) runners[model] = runner;
        return runners;
    }

    /// <summary>Lays out a step.</summary>
    /// <param name="running">The branches, oldest first; what they have is prepared.</param>
    /// <param name="turn">Which runners go.</param>
    /// <param name="longestTokens">Tokens that all passes may have together, where some of them are of prompts.</param>
    /// <returns>The plan, whose lists the next one reuses.</returns>
    public StepPlan Build(IReadOnlyList<Branch> running, Turn turn, int longestTokens)
    {
        for (var runner = 0; runner < _budget.Length; runner++)
            _budget[runner] = turn.Includes(runner) ? maxBatchTokens * limits.Runners[runner].Models.Count : 0;
        foreach (var branch in running) branch.Step.Clear();
        GiveDecoding(running, turn);
        GivePrompts(running, turn, longestTokens);
        foreach (var rows in _rows) rows.Clear();
        _readouts.Clear();
        _passes.Clear();
        foreach (var branch in running)
        {
            ReadoutBuilder.Prepare(branch);
            AddRows(branch);
            _readouts.Add(branch, turn.Guesses);
        }
        for (var runner = 0; runner < _rows.Length; runner++)
            if (_rows[runner].Count > 0) _passes.Add(new ModelPass(runner, _rows[runner]));
        return new StepPlan(_passes, _readouts.Readouts);
    }

    /// <summary>One token for each row that decodes, guesses with what is left.</summary>
    private void GiveDecoding(IReadOnlyList<Branch> running, Turn turn)
    {
        _budget.CopyTo(_spare, 0);
        foreach (var branch in running)
            foreach (var model in branch.Strengths.ActiveModels)
                if (Goes(branch, model, turn) && branch.IsDecoding(model)) _spare[_runnerOfModel[model]]--;
        foreach (var branch in running)
            if (branch.RunsTogether)
            {
                if (IsDecoding(branch)) GiveTogether(branch, turn, int.MaxValue);
            }
            else
            {
                foreach (var model in branch.Strengths.ActiveModels)
                    if (Goes(branch, model, turn) && branch.IsDecoding(model)) Give(branch, model, Offer(branch, model, 1));
            }
    }

    /// <summary>
    /// Then chunks of what others have yet to read: first each client its share, oldest first, then what is left, oldest first.
    /// </summary>
    private void GivePrompts(IReadOnlyList<Branch> running, Turn turn, int longestTokens)
    {
        Readers(running, turn);
        PromptTokens = 0;
        if (_readers.Count == 0) return;
        var most = LimitPrompts(turn, longestTokens);
        var share = Math.Max(limits.BlockTokens, most / _readers.Count);
        foreach (var branch in running)
        {
            var client = branch.Unit.Client;
            client.StepTokens += GivePrompt(branch, turn, share - client.StepTokens);
        }
        if (_readers.Count == 1) return;
        foreach (var branch in running)
            if (!branch.RunsTogether) GivePrompt(branch, turn, int.MaxValue);
    }

    /// <summary>Who has prompts to read.</summary>
    private void Readers(IReadOnlyList<Branch> running, Turn turn)
    {
        _readers.Clear();
        foreach (var branch in running) branch.Unit.Client.StepTokens = 0;
        foreach (var branch in running)
            if (Reads(branch, turn) && !_readers.Contains(branch.Unit.Client)) _readers.Add(branch.Unit.Client);
    }

    private bool Reads(Branch branch, Turn turn)
    {
        foreach (var model in branch.Strengths.ActiveModels)
            if (Goes(branch, model, turn) && !branch.IsDecoding(model)) return true;
        return false;
    }

    /// <summary>Leaves each pass what it may run of prompts beside what it decodes.</summary>
    /// <returns>Tokens that the fullest pass may run of prompts for each of its models.</returns>
    private int LimitPrompts(Turn turn, int longestTokens)
    {
        var (decoding, passes, most) = (0, 0, 0);
        for (var runner = 0; runner < _budget.Length; runner++)
        {
            if (!turn.Includes(runner)) continue;
            passes++;
            decoding += maxBatchTokens * limits.Runners[runner].Models.Count - _budget[runner];
        }
        var each = Math.Max(limits.BlockTokens, (longestTokens - decoding) / passes);
        for (var runner = 0; runner < _budget.Length; runner++)
        {
            _budget[runner] = Math.Min(_budget[runner], each);
            most = Math.Max(most, _budget[runner] / limits.Runners[runner].Models.Count);
        }
        return most;
    }

    /// <summary>Gives a branch a chunk of what its models have yet to read.</summary>
    /// <returns>The tokens of the model that was given most.</returns>
    private int GivePrompt(Branch branch, Turn turn, int most)
    {
        if (most <= 0) return 0;
        if (branch.RunsTogether) return IsDecoding(branch) ? 0 : GiveTogether(branch, turn, most);
        var given = 0;
        foreach (var model in branch.Strengths.ActiveModels)
            if (Goes(branch, model, turn) && !branch.IsDecoding(model))
                given = Math.Max(given, Give(branch, model, Math.Min(most, Offer(branch, model, 1))));
        return given;
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

    /// <summary>Gives a model tokens of a branch, behind those that it has been given in this step.</summary>
    /// <returns>How many.</returns>
    private int Give(Branch branch, int model, int most)
    {
        var start = Math.Max(branch.ComputedTokens(model), branch.Step.End[model]);
        var count = blocks.ReadyTokens(branch, model, start, most);
        if (count <= 0) return 0;
        blocks.Claim(branch, model, start, start + count);
        branch.Step.End[model] = start + count;
        var runner = _runnerOfModel[model];
        _budget[runner] -= count;
        _spare[runner] -= branch.IsDecoding(model) ? count - 1 : count;
        if (!branch.IsDecoding(model)) PromptTokens += count;
        return count;
    }

    /// <summary>
    /// A branch whose rows are not kept: models that lack more than others catch up first, then all run the same tokens, all their
    /// runners in one step.
    /// </summary>
    /// <returns>The tokens of the model that was given most.</returns>
    private int GiveTogether(Branch branch, Turn turn, int offer)
    {
        var active = branch.Strengths.ActiveModels;
        var (least, most) = (int.MaxValue, 0);
        foreach (var model in active)
        {
            if (!Goes(branch, model, turn)) return 0;
            (least, most) = (Math.Min(least, branch.LackedTokens(model)), Math.Max(most, branch.LackedTokens(model)));
            offer = Math.Min(offer, Offer(branch, model, ModelsOfRunner(active, model)));
        }
        if (least == most)
            foreach (var model in active)
                offer = Math.Min(offer, blocks.ReadyTokens(branch, model, branch.ComputedTokens(model), offer));
        branch.Step.Scores = least == most && branch.PromptScores.AreMissing;
        var given = 0;
        foreach (var model in active)
            given = Math.Max(given, Give(branch, model, least == most ? offer : Math.Min(offer, branch.LackedTokens(model) - least)));
        return given;
    }

    private int ModelsOfRunner(IReadOnlyList<int> active, int model)
    {
        var count = 0;
        foreach (var other in active)
            if (_runnerOfModel[other] == _runnerOfModel[model]) count++;
        return count;
    }

    private void AddRows(Branch branch)
    {
        var counted = 0UL;
        foreach (var model in branch.Strengths.ActiveModels)
        {
            if (branch.Step.End[model] == 0) continue;
            var runner = _runnerOfModel[model];
            AddRow(branch, model, _rows[runner]);
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
