using DeRa.Engine.Branches;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Decides which branches run and with what, and takes back what came out. Owned by the engine's thread. It counts cache blocks and
/// slots for kept logits, and knows no tensor.
/// </summary>
internal sealed class Scheduler
{
    private readonly int _maxRunning;
    private readonly BranchBlocks _blocks;
    private readonly StepBuilder _builder;
    private readonly TurnPolicy _turns;
    private readonly StepLength _stepLength;
    private readonly FairQueue _waiting = new();
    private readonly List<Branch> _running = [];
    private readonly List<Branch> _prepared = [];
    private readonly List<BlockCopy> _copies = [];
    private readonly Stack<int> _slotRanges;
    // The unit for which there was no room, and what had been given back then: until more is, there is none.
    private (SchedulingUnit Unit, long Returned, int Running)? _noRoom;
    private Turn _turn;

    /// <param name="limits">What the executor can take.</param>
    /// <param name="options">How much to do at once.</param>
    public Scheduler(ExecutorLimits limits, SchedulerOptions options)
    {
        _maxRunning = options.MaxRunning;
        Blocks = new BlockStore(limits.BlockCount, limits.ModelCount, options.KeepsBlocks, options.BlockHashBits);
        _blocks = new BranchBlocks(Blocks, limits);
        _slotRanges = new Stack<int>(Enumerable.Range(0, limits.LogitSlots / (limits.ModelCount * Branch.RowsKept)).Reverse());
        _builder = new StepBuilder(limits, options.MaxBatchTokens, _blocks);
        _turns = new TurnPolicy(options.Speculation, limits);
        _stepLength = new StepLength(options.LongestStep);
    }

    public BlockStore Blocks { get; }

    public bool HasWork => _running.Count + _waiting.Count > 0;

    /// <summary>Told what happens.</summary>
    public required ISchedulerObserver Observer { get; init; }

    public void Enqueue(SchedulingUnit unit) => _waiting.Enqueue(unit);

    /// <summary>
    /// Moves units from the queue to the batch while there is room: those of the client for whom least was done first. Nobody goes ahead of
    /// who is next. A client that has less than its share may take the place of one that has more.
    /// </summary>
    public void Admit()
    {
        while (_waiting.Peek() is { } next)
        {
            while (!TryStart(next))
            {
                if (Preemption.ForShare(next, _running, _waiting.ActiveClients, _maxRunning, Blocks.Count, _blocks) is not { } victim)
                    return;
                Preempt(victim);
            }
        }
    }

    /// <summary>Applies what was asked of a group. No step is under way: what is cancelled ends at once.</summary>
    public void Apply(SequenceGroup group) => group.ApplyCommands((branch, reason) =>
    {
        if (branch.IsRunning)
        {
            _running.Remove(branch);
            Release(branch, reason, null);
            return;
        }
        // A unit waits as long as any of its branches does.
        if (branch.Unit.Branches.Count == 1) _waiting.Remove(branch.Unit);
        End(branch, reason, null, ran: false);
    });

    /// <summary>
    /// A branch that goes on from where another is, with draws of its own: full blocks are shared, the last, partial one is copied before
    /// the next step.
    /// </summary>
    /// <param name="branch">A running branch.</param>
    /// <param name="id">The new branch's.</param>
    /// <param name="stream">Its own among the forks of the choice; at least 1.</param>
    /// <returns>It runs already; null where not enough blocks are free or as many run as may.</returns>
    public Branch? Fork(Branch branch, int id, int stream)
    {
        if (_running.Count == _maxRunning) return null;
        var fork = branch.Fork(id, stream);
        if (!_blocks.TryFork(branch, fork, _copies)) return null;
        Join(fork);
        Observer.Forked(fork);
        return fork;
    }

    /// <summary>The step that comes next. Where blocks run out for it, the last branches go back to the queue.</summary>
    public StepPlan Plan()
    {
        Prepare();
        _turn = _turns.Next(_running);
        var plan = _builder.Build(_running, _turn, _stepLength.Tokens);
        if (_copies.Count == 0) return plan;
        plan = plan with { BlockCopies = [.. _copies] };
        _copies.Clear();
        return plan;
    }

    /// <summary>Hands each branch its results; frees what branches hold that have ended or failed.</summary>
    /// <param name="plan">What was planned.</param>
    /// <param name="result">What came out.</param>
    /// <param name="now">When it came out.</param>
    /// <param name="took">The step's time.</param>
    public void Commit(StepPlan plan, StepResult result, long now, TimeSpan took)
    {
        var (decided, decoding) = (0, true);
        foreach (var branch in _running)
        {
            if (result.FailedBranches.TryGetValue(branch.Id, out var failure))
                Release(branch, null, new GenerationFailedException(failure));
            else
            {
                var outcome = BranchCommit.Take(branch, result, now, Observer, _turn.Guesses);
                _blocks.Commit(branch);
                branch.Unit.Client.ChargedTokens += outcome.Decided;
                (decided, decoding) = (decided + outcome.Decided, decoding && outcome.Decodes);
                if (outcome.Error is { } error) Release(branch, null, new GenerationFailedException(error));
                else if (outcome.Finish is { } finish) Release(branch, finish, null);
            }
        }
        _running.RemoveAll(branch => !branch.IsRunning);
        _blocks.ReturnCopied();
        if (plan.Passes.Count == 0) return;
        if (decoding) _turns.Learn(_turn.Guesses, decided, took);
        var tokens = plan.CountTokens();
        if (_builder.PromptTokens * 2 > tokens) _stepLength.Learn(tokens, took);
    }

    /// <summary>Ends everything, waiting and running, with one failure: the engine is going away.</summary>
    public void FailAll(Exception failure)
    {
        foreach (var branch in _running.Where(branch => branch.IsRunning)) Release(branch, null, failure);
        _running.Clear();
        _blocks.ReturnCopied();
        foreach (var unit in _waiting.Clear())
            foreach (var branch in unit.Branches.ToArray()) End(branch, null, failure, ran: false);
    }

    private void Prepare()
    {
        _prepared.Clear();
        _prepared.AddRange(_running);
        foreach (var branch in _prepared)
            while (branch.IsRunning && !_blocks.TryPrepare(branch, _copies))
            {
                // What cannot be made room for goes on without, as far as its blocks reach.
                if (Preemption.ForBlocks(_running) is not { } victim) break;
                Preempt(victim);
            }
        foreach (var branch in _running)
            foreach (var model in branch.Strengths.ActiveModels)
                branch.Step.Ready[model] = _blocks.ReadyTokens(branch, model, branch.ComputedTokens(model), 1);
    }

    private bool TryStart(SchedulingUnit unit)
    {
        if (_running.Count + unit.Branches.Count > _maxRunning || _noRoom == (unit, Blocks.Returned, _running.Count)) return false;
        var newTokens = 0;
        for (var i = 0; i < unit.Branches.Count; i++)
        {
            // One block for each that runs, so that not all run out at the next token.
            if (_blocks.TryAcquire(unit.Branches[i], _running.Count) is { } tokens)
            {
                newTokens += tokens;
                continue;
            }
            while (--i >= 0) _blocks.Release(unit.Branches[i]);
            _noRoom = (unit, Blocks.Returned, _running.Count);
            return false;
        }
        _waiting.Remove(unit);
        if (unit.Preemptions == 0) unit.Client.ChargedTokens += newTokens;
        foreach (var branch in unit.Branches)
        {
            Join(branch);
            Observer.Admitted(branch);
        }
        return true;
    }

    private void Join(Branch branch)
    {
        branch.SlotRange = _slotRanges.TryPop(out var range) ? range : null;
        branch.IsRunning = true;
        branch.Unit.Client.RunningBranches++;
        _running.Add(branch);
    }

    /// <summary>Back to the queue: what is decided stays decided.</summary>
    private void Preempt(SchedulingUnit unit)
    {
        foreach (var branch in unit.Branches)
        {
            Leave(branch);
            branch.Preempt();
            _running.Remove(branch);
            Observer.Preempted(branch);
        }
        unit.Preemptions++;
        _waiting.Enqueue(unit);
    }

    private void Release(Branch branch, FinishReason? reason, Exception? failure)
    {
        Leave(branch);
        branch.IsRunning = false;
        End(branch, reason, failure, ran: true);
    }

    private void Leave(Branch branch)
    {
        _blocks.Release(branch);
        if (branch.SlotRange is { } range) _slotRanges.Push(range);
        branch.SlotRange = null;
        branch.Unit.Client.RunningBranches--;
        _copies.RemoveAll(copy => copy.Branch == branch.Id);
    }

    /// <summary>Its last event goes out once its blocks are free.</summary>
    private void End(Branch branch, FinishReason? reason, Exception? failure, bool ran)
    {
        branch.Unit.Branches.Remove(branch);
        _waiting.Ended(branch.Unit.Client);
        Observer.Ended(branch, ran);
        if (failure is null) branch.Events.End(reason!.Value);
        else branch.Events.End(failure);
    }
}
