using DeRa.Engine.Requests;

namespace DeRa.Engine.Admission;

/// <summary>
/// The bounded queue's door: counts what waits, refuses synchronously what would be too much. Any thread may call it.
/// </summary>
internal sealed class AdmissionGate(int maxQueuedSequences, long maxQueuedTokens)
{
    private readonly Lock _gate = new();
    private AdmissionException? _closed;
    private int _sequences;
    private long _tokens;

    public int QueuedSequences
    {
        get { lock (_gate) return _sequences; }
    }

    /// <summary>Lets a whole request in, or none of it; what is let in is handed over before the gate can close.</summary>
    /// <exception cref="AdmissionException">The queue is full or the gate is closed.</exception>
    /// <exception cref="InvalidRequestException">It would not fit into an empty queue: coming again later is of no use.</exception>
    public void Enter(int count, long promptTokens, Action handOver)
    {
        if (count > maxQueuedSequences)
            throw new InvalidRequestException("n", $"The request has {count} choices, all prompts together; at most {maxQueuedSequences} can wait at once.");
        if (promptTokens > maxQueuedTokens)
            throw new InvalidRequestException("prompt", $"All choices together have {promptTokens} prompt tokens; at most {maxQueuedTokens} can wait at once.");
        lock (_gate)
        {
            if (_closed is not null) throw new AdmissionException(_closed.Reason, _closed.Message);
            if (_sequences + count > maxQueuedSequences || _tokens + promptTokens > maxQueuedTokens)
                throw new AdmissionException(AdmissionReason.QueueFull,
                    $"The server is full: {_sequences} sequences with {_tokens} prompt tokens wait; " +
                    $"at most {maxQueuedSequences} with {maxQueuedTokens} may.");
            _sequences += count;
            _tokens += promptTokens;
            handOver();
        }
    }

    /// <summary>A sequence has left the queue.</summary>
    public void Leave(int promptTokens)
    {
        lock (_gate)
        {
            _sequences--;
            _tokens -= promptTokens;
        }
    }

    /// <summary>Refuses everything from now on; the first reason stays, but for a fault, which outweighs draining.</summary>
    public void Close(AdmissionReason reason, string message)
    {
        lock (_gate)
            if (_closed is null || reason == AdmissionReason.Stopped) _closed = new AdmissionException(reason, message);
    }
}
