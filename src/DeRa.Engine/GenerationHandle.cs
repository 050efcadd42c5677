using System.Threading.Channels;
using DeRa.Engine.Branches;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;

namespace DeRa.Engine;

/// <summary>A submitted sequence, as seen from outside the engine.</summary>
public sealed class GenerationHandle
{
    private readonly Branch _branch;
    private readonly SequenceGroup _group;
    private readonly ExecutorLimits _limits;
    private readonly EngineMetrics _metrics;
    private int _isFinished;

    internal GenerationHandle(Branch branch, SequenceGroup group, ExecutorLimits limits, EngineMetrics metrics) =>
        (_branch, _group, _limits, _metrics) = (branch, group, limits, metrics);

    /// <summary>What was submitted.</summary>
    public GenerationRequest Request => _branch.Request;

    /// <summary>
    /// Events in order, ending with <see cref="SequenceFinished"/>; a sequence that fails ends with
    /// <see cref="GenerationFailedException"/> instead. One reader.
    /// </summary>
    public ChannelReader<SequenceEvent> Events => _branch.Events.Reader;

    /// <summary>
    /// Asks for other strengths from the next token on; <see cref="StrengthsChanged"/> says when they take effect. Any thread.
    /// </summary>
    /// <param name="strengths">Finite, for the models that the executor has.</param>
    /// <returns>
    /// The output index, from 0, of the first token drawn at them, or at those of a change that followed before it; null where the sequence
    /// had ended. Never ends where the engine stops before its next step.
    /// </returns>
    /// <exception cref="ArgumentException">They are not.</exception>
    public Task<int?> ChangeStrengths(AlignmentStrengths strengths)
    {
        strengths.CheckFor(_limits.ModelCount);
        var applied = new TaskCompletionSource<int?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _group.Post(new ChangeStrengthsCommand(_branch, strengths, applied));
        return applied.Task;
    }

    /// <summary>
    /// Asks to go on after these tokens, as if they had been drawn next; as many as the token limit leaves room for, less one. They come
    /// out as <see cref="TokenGenerated"/>. Any thread.
    /// </summary>
    /// <param name="decided">Ids in the vocabulary.</param>
    /// <exception cref="ArgumentOutOfRangeException">A token is outside the vocabulary.</exception>
    public void Append(IReadOnlyList<int> decided)
    {
        foreach (var token in decided)
            if ((uint)token >= (uint)_limits.VocabularySize)
                throw new ArgumentOutOfRangeException(nameof(decided), token, $"a token must be in [0, {_limits.VocabularySize})");
        _group.Post(new AppendCommand(_branch, decided.ToArray()));
    }

    /// <summary>
    /// Tokens of the prompt that no model of the sequence had to run, since others had: the smallest number over the models that were
    /// active. 0 until the prompt has been read; any thread.
    /// </summary>
    public int CachedTokens => _branch.CachedTokens;

    /// <summary>How often it has gone back to the queue for lack of room.</summary>
    internal int Preemptions => _branch.Unit.Preemptions;

    /// <summary>When things happened to it, up to now; any thread.</summary>
    public SequenceTimestamps Timestamps =>
        new(_branch.Clock.Submitted, _branch.Clock.Admitted, _branch.Clock.FirstToken, _branch.Clock.Ended);

    /// <summary>
    /// Counts the sequence under the finish reason that its response gives, which the engine may not know: it ends a sequence whose
    /// text met a stop string by cancelling it, or has ended it for its length by then. The first call counts. Any thread.
    /// </summary>
    /// <param name="reason">Null where it failed.</param>
    public void CountFinish(FinishReason? reason)
    {
        if (Interlocked.Exchange(ref _isFinished, 1) == 0) _metrics.Finished(reason);
    }

    /// <summary>Ends the sequence soon and frees its blocks in every cache; no effect once it has ended. Any thread.</summary>
    /// <param name="reason">Its finish reason, such as <see cref="FinishReason.Stop"/> where its text met a stop string.</param>
    public void Cancel(FinishReason reason = FinishReason.Cancelled) => _group.Post(new CancelCommand(_branch, reason));
}

/// <summary>When things happened to a sequence, as timestamps of <see cref="GenerationEngine.Time"/>; null = not yet.</summary>
/// <param name="Submitted">It was put into the queue.</param>
/// <param name="Admitted">It left the queue to run; null for ever where it was cancelled there.</param>
/// <param name="FirstToken">Its first token was generated.</param>
/// <param name="Ended">It ended, in whatever way.</param>
public readonly record struct SequenceTimestamps(long Submitted, long? Admitted, long? FirstToken, long? Ended);
