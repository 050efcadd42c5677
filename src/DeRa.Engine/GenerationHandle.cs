using System.Threading.Channels;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;

namespace DeRa.Engine;

/// <summary>A submitted sequence, as seen from outside the engine.</summary>
public sealed class GenerationHandle
{
    private readonly Sequence _sequence;
    private readonly AutoResetEvent _wake;
    private readonly EngineMetrics _metrics;
    private int _isFinished;

    internal GenerationHandle(Sequence sequence, AutoResetEvent wake, EngineMetrics metrics) =>
        (_sequence, _wake, _metrics) = (sequence, wake, metrics);

    /// <summary>What was submitted.</summary>
    public GenerationRequest Request => _sequence.Request;

    /// <summary>
    /// Events in order, ending with <see cref="SequenceFinished"/>; a sequence that fails ends with
    /// <see cref="GenerationFailedException"/> instead. One reader.
    /// </summary>
    public ChannelReader<SequenceEvent> Events => _sequence.Events;

    /// <summary>
    /// Asks for other strengths from the next token on; <see cref="StrengthsChanged"/> says when they take effect. Any thread.
    /// </summary>
    /// <param name="strengths">Finite, for the models that the executor has.</param>
    public void ChangeStrengths(AlignmentStrengths strengths) => _sequence.AskFor(strengths);

    /// <summary>When things happened to it, up to now; any thread.</summary>
    public SequenceTimestamps Timestamps =>
        new(_sequence.Clock.Submitted, _sequence.Clock.Admitted, _sequence.Clock.FirstToken, _sequence.Clock.Ended);

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
    public void Cancel()
    {
        _sequence.Cancel();
        _wake.Set();
    }
}

/// <summary>When things happened to a sequence, as timestamps of <see cref="GenerationEngine.Time"/>; null = not yet.</summary>
/// <param name="Submitted">It was put into the queue.</param>
/// <param name="Admitted">It left the queue to run; null for ever where it was cancelled there.</param>
/// <param name="FirstToken">Its first token was generated.</param>
/// <param name="Ended">It ended, in whatever way.</param>
public readonly record struct SequenceTimestamps(long Submitted, long? Admitted, long? FirstToken, long? Ended);
