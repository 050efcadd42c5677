namespace DeRa.Engine.Admission;

/// <summary>
/// The bounded queue's door: counts what waits, refuses synchronously what would be too much. Any thread may call it.
/// </summary>
internal sealed class AdmissionGate(int maxQueuedSequences, long maxQueuedTokens)
{
    private readonly Lock gate = new();
    private AdmissionException? closed;
    private int sequences;
    private long tokens;

    public int QueuedSequences
    {
        get { lock (gate) return sequences; }
    }

    /// <summary>Lets a whole request in, or none of it; what is let in is handed over before the gate can close.</summary>
    /// <exception cref="AdmissionException">The queue is full or the gate is closed.</exception>
    public void Enter(int count, long promptTokens, Action handOver)
    {
        lock (gate)
        {
            if (closed is not null) throw new AdmissionException(closed.Reason, closed.Message);
            if (sequences + count > maxQueuedSequences || tokens + promptTokens > maxQueuedTokens)
                throw new AdmissionException(AdmissionReason.QueueFull,
                    $"The server is full: {sequences} sequences with {tokens} prompt tokens wait; " +
                    $"at most {maxQueuedSequences} with {maxQueuedTokens} may.");
            sequences += count;
            tokens += promptTokens;
            handOver();
        }
    }

    /// <summary>A sequence has left the queue.</summary>
    public void Leave(int promptTokens)
    {
        lock (gate)
        {
            sequences--;
            tokens -= promptTokens;
        }
    }

    /// <summary>Refuses everything from now on; the first reason stays, but for a fault, which outweighs draining.</summary>
    public void Close(AdmissionReason reason, string message)
    {
        lock (gate)
            if (closed is null || reason == AdmissionReason.Stopped) closed = new AdmissionException(reason, message);
    }
}
