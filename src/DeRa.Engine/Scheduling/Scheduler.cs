using DeRa.Engine.Requests;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// Decides which sequences run and with what, and takes back what came out. Owned by the engine's thread. It counts one
/// resource, cache blocks, and knows neither how many models there are nor what a tensor is.
/// </summary>
/// <param name="limits">What the executor can take.</param>
/// <param name="maxBatchTokens">Tokens a step may run; at least maxSequences, so that every running sequence advances.</param>
/// <param name="maxSequences">Sequences that may run at once.</param>
internal sealed class Scheduler(ExecutorLimits limits, int maxBatchTokens, int maxSequences)
{
    // Lowest priority first, then first come.
    private readonly PriorityQueue<Sequence, (int Priority, long Arrival)> _waiting = new();
    private readonly List<Sequence> _running = [];
    private readonly List<Sequence> _planned = [];
    private long _arrivals;

    public BlockPool Blocks { get; } = new(limits.BlockCount);

    public bool HasWork => _running.Count + _waiting.Count > 0;

    /// <summary>Called for each sequence that leaves the queue to run.</summary>
    public Action<Sequence>? Admitted { get; init; }

    /// <summary>Called for each token, with the time of the same sequence's token before it.</summary>
    public Action<Sequence, long?>? Generated { get; init; }

    /// <summary>Called for each sequence that has ended, after its blocks are free and before its last event is out.</summary>
    public Action<Sequence>? Ended { get; init; }

    public void Enqueue(Sequence sequence) => _waiting.Enqueue(sequence, (sequence.Request.Priority, _arrivals++));

    /// <summary>
    /// Moves sequences from the queue to the batch, by priority, then first come first served, while all that they may need is free.
    /// </summary>
    public void Admit()
    {
        while (_running.Count < maxSequences && _waiting.TryPeek(out var next, out _) && !next.IsCancelled)
        {
            if (Blocks.TryTake(BlocksFor(next)) is not { } blocks) return;
            next.Blocks = blocks;
            _running.Add(_waiting.Dequeue());
            Admitted?.Invoke(next);
        }
    }

    /// <summary>Drops cancelled sequences from the queue. Running ones only stop being planned: commit frees their blocks.</summary>
    public void DropCancelled()
    {
        if (_waiting.Count == 0) return;
        foreach (var (sequence, _) in _waiting.UnorderedItems.Where(item => item.Element.IsCancelled).ToList())
        {
            _waiting.Remove(sequence, out _, out _);
            Ended?.Invoke(sequence);
            sequence.End(FinishReason.Cancelled);
        }
    }

    /// <summary>
    /// One token for each sequence that decodes, then chunks of what others have yet to run, oldest first, with what is left of the
    /// budget.
    /// </summary>
    public StepPlan Plan()
    {
        _planned.Clear();
        foreach (var sequence in _running) sequence.ApplyStrengths();
        var rows = new List<StepRow>(_running.Count);
        var budget = maxBatchTokens;
        foreach (var decodes in (ReadOnlySpan<bool>)[true, false])
            foreach (var sequence in _running)
            {
                if (budget == 0 || sequence.IsCancelled || sequence.IsDecoding != decodes) continue;
                var row = StepRows.For(sequence, budget);
                budget -= row.Tokens.Length;
                _planned.Add(sequence);
                rows.Add(row);
            }
        return new StepPlan(rows);
    }

    /// <summary>
    /// Hands each planned sequence its result; frees the blocks of what has ended, failed or been cancelled.
    /// </summary>
    /// <param name="plan">What was planned.</param>
    /// <param name="result">What came out.</param>
    /// <param name="now">When it came out.</param>
    public void Commit(StepPlan plan, StepResult result, long now)
    {
        for (var i = 0; i < _planned.Count; i++)
        {
            var (sequence, outcome) = (_planned[i], result.Rows[i]);
            if (outcome.Error is { } error) Release(sequence, null, new GenerationFailedException(error));
            else Take(sequence, plan.Rows[i], outcome, now);
        }
        foreach (var sequence in _running)
            if (sequence.IsCancelled && sequence.Blocks.Length > 0) Release(sequence, FinishReason.Cancelled, null);
        _running.RemoveAll(sequence => sequence.Blocks.Length == 0);
    }

    /// <summary>Ends everything, waiting and running, with one failure: the engine is going away.</summary>
    public void FailAll(Exception failure)
    {
        foreach (var sequence in _running.Where(sequence => sequence.Blocks.Length > 0)) Release(sequence, null, failure);
        _running.Clear();
        while (_waiting.TryDequeue(out var sequence, out _))
        {
            Ended?.Invoke(sequence);
            sequence.End(failure);
        }
    }

    private void Take(Sequence sequence, StepRow row, RowResult outcome, long now)
    {
        var before = sequence.Clock.LastToken;
        var reason = sequence.Commit(row, outcome, now);
        if (row.Sampling is not null) Generated?.Invoke(sequence, before);
        if (reason is not null) Release(sequence, reason, null);
    }

    private void Release(Sequence sequence, FinishReason? reason, Exception? failure)
    {
        Blocks.Return(sequence.Blocks);
        sequence.Blocks = [];
        Ended?.Invoke(sequence);
        if (failure is null) sequence.End(reason!.Value);
        else sequence.End(failure);
    }

    private int BlocksFor(Sequence sequence) => (sequence.MaxLength + limits.BlockTokens - 1) / limits.BlockTokens;
}
