using DeRa.Engine.Branches;
using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Decides which branches run and with what, and takes back what came out. Owned by the engine's thread. It counts cache blocks and
/// slots for kept logits, and knows no tensor.
/// </summary>
internal sealed class Scheduler
{
    private readonly ExecutorLimits _limits;
    private readonly int _maxRunning;
    private readonly StepBuilder _builder;
    private readonly TurnPolicy _turns;
    // Lowest priority first, then first come.
    private readonly PriorityQueue<Branch, (int Priority, long Arrival)> _waiting = new();
    private readonly List<Branch> _running = [];
    private readonly List<BlockCopy> _copies = [];
    private readonly BlockPool _slotRanges;
    private long _arrivals;
    private Turn _turn;

    /// <param name="limits">What the executor can take.</param>
    /// <param name="maxBatchTokens">Tokens a pass may run for each model; at least maxRunning, so that every branch advances.</param>
    /// <param name="maxRunning">Branches that may run at once.</param>
    /// <param name="speculation">Whether the models take turns.</param>
    public Scheduler(ExecutorLimits limits, int maxBatchTokens, int maxRunning, Speculation speculation)
    {
        (_limits, _maxRunning) = (limits, maxRunning);
        Blocks = new BlockPool(limits.BlockCount);
        _slotRanges = new BlockPool(limits.LogitSlots / (limits.ModelCount * Branch.RowsKept));
        _builder = new StepBuilder(limits, maxBatchTokens);
        _turns = new TurnPolicy(speculation, limits);
    }

    public BlockPool Blocks { get; }

    public bool HasWork => _running.Count + _waiting.Count > 0;

    /// <summary>Told what happens.</summary>
    public required ISchedulerObserver Observer { get; init; }

    public void Enqueue(Branch branch) => _waiting.Enqueue(branch, (branch.Request.Priority, _arrivals++));

    /// <summary>Moves branches from the queue to the batch, by priority, then by arrival, while all that they may need is free.</summary>
    public void Admit()
    {
        while (_running.Count < _maxRunning && _waiting.TryPeek(out var next, out _))
        {
            if (Blocks.TryTake(BlocksFor(next)) is not { } blocks) return;
            Start(_waiting.Dequeue(), blocks);
        }
    }

    /// <summary>Applies what was asked of a group. No step is under way: what is cancelled ends at once.</summary>
    public void Apply(SequenceGroup group) => group.ApplyCommands((branch, reason) =>
    {
        if (branch.IsRunning)
        {
            _running.Remove(branch);
            Release(branch, reason, null);
        }
        else
        {
            _waiting.Remove(branch, out _, out _);
            End(branch, reason, null);
        }
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
        var shared = fork.Contexts.Select((context, i) => FullBlocks(fork, i)).ToArray();
        if (Blocks.TryTake(BlocksFor(branch) - shared.Sum()) is not { } blocks) return null;
        var own = 0;
        for (var i = 0; i < shared.Length; i++)
        {
            var (from, count) = (branch.Contexts[i].Blocks, branch.Contexts[i].Blocks.Length);
            foreach (var block in from.AsSpan(0, shared[i])) Blocks.Share(block);
            fork.Contexts[i].Blocks = [.. from[..shared[i]], .. blocks[own..(own += count - shared[i])]];
            if (shared[i] < count && fork.Contexts[i].Length - 1 > shared[i] * _limits.BlockTokens)
                _copies.Add(new BlockCopy(fork.Id, from[shared[i]], fork.Contexts[i].Blocks[shared[i]]));
        }
        fork.SlotRange = _slotRanges.TryTake(1)?[0];
        _running.Add(fork);
        Observer.Forked(fork);
        return fork;
    }

    /// <summary>The step that comes next.</summary>
    public StepPlan Plan()
    {
        _turn = _turns.Next(_running);
        var plan = _builder.Build(_running, _turn);
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
                (decided, decoding) = (decided + outcome.Decided, decoding && outcome.Decodes);
                if (outcome.Error is { } error) Release(branch, null, new GenerationFailedException(error));
                else if (outcome.Finish is { } finish) Release(branch, finish, null);
            }
        }
        _running.RemoveAll(branch => !branch.IsRunning);
        if (decoding && plan.Passes.Count > 0) _turns.Learn(_turn.Guesses, decided, took);
    }

    /// <summary>Ends everything, waiting and running, with one failure: the engine is going away.</summary>
    public void FailAll(Exception failure)
    {
        foreach (var branch in _running.Where(branch => branch.IsRunning)) Release(branch, null, failure);
        _running.Clear();
        while (_waiting.TryDequeue(out var branch, out _)) End(branch, null, failure);
    }

    private void Start(Branch branch, int[] blocks)
    {
        var taken = 0;
        foreach (var context in branch.Contexts)
            context.Blocks = blocks[taken..(taken += BlocksFor(branch.Request, context.PromptTokens))];
        branch.SlotRange = _slotRanges.TryTake(1)?[0];
        _running.Add(branch);
        Observer.Admitted(branch);
    }

    private void Release(Branch branch, FinishReason? reason, Exception? failure)
    {
        foreach (var context in branch.Contexts)
        {
            Blocks.Return(context.Blocks);
            context.Blocks = [];
        }
        if (branch.SlotRange is { } range) _slotRanges.Return([range]);
        branch.SlotRange = null;
        _copies.RemoveAll(copy => copy.Branch == branch.Id);
        End(branch, reason, failure);
    }

    /// <summary>Its last event goes out once its blocks are free.</summary>
    private void End(Branch branch, FinishReason? reason, Exception? failure)
    {
        Observer.Ended(branch);
        if (failure is null) branch.Events.End(reason!.Value);
        else branch.Events.End(failure);
    }

    /// <summary>Blocks of a fork's context that hold nothing but tokens that are computed and stay as they are.</summary>
    private int FullBlocks(Branch fork, int context) =>
        (fork.Contexts[context].PromptTokens + fork.DecidedTokens - 1) / _limits.BlockTokens;

    private int BlocksFor(Branch branch) => branch.Contexts.Sum(context => BlocksFor(branch.Request, context.PromptTokens));

    private int BlocksFor(GenerationRequest request, int promptTokens) =>
        (promptTokens + request.MaxTokens + _limits.BlockTokens - 1) / _limits.BlockTokens;
}
