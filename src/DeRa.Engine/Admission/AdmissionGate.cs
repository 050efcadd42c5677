using DeRa.Engine.Requests;

namespace DeRa.Engine.Admission;

/// <summary>
/// Admits to the bounded queue: counts what waits and what runs, refuses synchronously what would be too much. Any thread may
/// call it.
/// </summary>
internal sealed class AdmissionGate(int maxQueuedSequences, long maxQueuedTokens)
{
    private readonly Lock _gate = new();
    private AdmissionException? _closed;
    private int _sequences;
    private long _tokens;
    private int _running;

    /// <summary>The sequences that wait and that run, at one moment: one that begins to run is never counted twice, nor left out.</summary>
    public (int Queued, int Running) Load
    {
        get { lock (_gate) return (_sequences, _running); }
    }

    /// <summary>Refuses what would not even fit into an empty queue: coming back later would not help.</summary>
    /// <exception cref="AdmissionException">The request has too many sequences or prompt tokens.</exception>
    public void CheckEverFits(IReadOnlyList<GenerationRequest> sequences)
    {
        var promptTokens = sequences.Sum(sequence => (long)sequence.PromptTokens.Count);
        if (sequences.Count <= maxQueuedSequences && promptTokens <= maxQueuedTokens) return;
        throw new AdmissionException(AdmissionReason.NeverFits,
            $"All prompts and choices are {sequences.Count} sequences with {promptTokens} prompt tokens; " +
            $"the server's queue holds {maxQueuedSequences} with {maxQueuedTokens}.");
    }

    /// <summary>Lets a whole request in, or none of it; what is let in is handed over before the gate can close.</summary>
    /// <exception cref="AdmissionException">The queue is full or the gate is closed.</exception>
    public void Enter(int count, long promptTokens, Action handOver)
    {
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

    /// <summary>A sequence has left the queue: to run, or because it has ended there.</summary>
    public void Leave(int promptTokens, bool runs)
    {
        lock (_gate)
        {
            _sequences--;
            _tokens -= promptTokens;
            if (runs) _running++;
        }
    }

    /// <summary>A sequence that ran is in the queue again, however full that is.</summary>
    public void GoBack(int promptTokens)
    {
        lock (_gate)
        {
            _running--;
            _sequences++;
            _tokens += promptTokens;
        }
    }

    /// <summary>A fork of a running sequence runs too.</summary>
    public void Join()
    {
        lock (_gate) _running++;
    }

    /// <summary>A sequence that ran has ended.</summary>
    public void Finish()
    {
        lock (_gate) _running--;
    }

    /// <summary>Refuses everything from now on; the first reason stays, but for a fault, which outweighs draining.</summary>
    public void Close(AdmissionReason reason, string message)
    {
        lock (_gate)
            if (_closed is null || reason == AdmissionReason.Stopped) _closed = new AdmissionException(reason, message);
    }
}
