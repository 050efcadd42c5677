using System.Collections.Concurrent;
using DeRa.Engine;

namespace DeRa.Server.Composition;

/// <summary>
/// Whether requests can be served and by what. Doors enter it with each request, so that a stop can wait for the answers
/// that are under way. Any thread.
/// </summary>
internal sealed class ServingState : IProgress<LoadProgress>
{
    private readonly Lock gate = new();
    private readonly TaskCompletionSource idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, double> loaded = new();
    private ServingPhase phase = ServingPhase.Loading;
    private ServedPair? pair;
    private int entered;

    /// <summary>Called with each new phase, once.</summary>
    public event Action<ServingPhase>? Changed;

    /// <summary>What the server is doing.</summary>
    public ServingPhase Phase
    {
        get { lock (gate) return phase; }
    }

    /// <summary>The pair, once it is loaded.</summary>
    public ServedPair? Pair
    {
        get { lock (gate) return pair; }
    }

    /// <summary>How much of each model is loaded, [0, 1].</summary>
    public IReadOnlyDictionary<string, double> Loaded => loaded;

    /// <summary>Whether requests are taken: loaded, not draining, the engine alive.</summary>
    public bool IsReady => Phase == ServingPhase.Ready && Pair!.Engine.Status.IsRunning;

    /// <inheritdoc/>
    public void Report(LoadProgress value) => loaded[value.Model] = value.Fraction;

    /// <summary>Begins a request; disposing the result ends it.</summary>
    /// <exception cref="NotServingException">No requests are taken now.</exception>
    public Lease Enter()
    {
        lock (gate)
        {
            if (phase != ServingPhase.Ready) throw new NotServingException(phase);
            entered++;
            return new Lease(this, pair!);
        }
    }

    /// <summary>The pair is loaded. False where the server has been asked to stop meanwhile: the caller then keeps the pair.</summary>
    public bool TryServe(ServedPair served)
    {
        lock (gate)
        {
            if (phase != ServingPhase.Loading) return false;
            (pair, phase) = (served, ServingPhase.Ready);
        }
        Changed?.Invoke(ServingPhase.Ready);
        return true;
    }

    /// <summary>The pair could not be loaded.</summary>
    public void Fail() => Leave(ServingPhase.Failed);

    /// <summary>Refuses new requests from now on. The task ends once no request is under way.</summary>
    public Task DrainAsync()
    {
        Leave(ServingPhase.Draining);
        Pair?.Engine.Drain();
        return idle.Task;
    }

    private void Leave(ServingPhase next)
    {
        lock (gate)
        {
            if (phase == ServingPhase.Failed) next = ServingPhase.Failed;
            phase = next;
            if (entered == 0) idle.TrySetResult();
        }
        Changed?.Invoke(next);
    }

    private void Exit()
    {
        lock (gate)
            if (--entered == 0 && phase != ServingPhase.Ready) idle.TrySetResult();
    }

    /// <summary>A request that is under way.</summary>
    internal sealed class Lease(ServingState state, ServedPair pair) : IDisposable
    {
        /// <summary>What serves it.</summary>
        public ServedPair Pair { get; } = pair;

        /// <summary>Ends the request.</summary>
        public void Dispose() => state.Exit();
    }
}
