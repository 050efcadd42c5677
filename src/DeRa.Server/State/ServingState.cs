using System.Collections.Concurrent;
using DeRa.Serving;
using DeRa.Serving.Rewards;
using DeRa.Torch.Weights;

namespace DeRa.Server.State;

/// <summary>
/// Whether requests can be served and by what. Endpoints enter it with each request, so that a stop can wait for the responses
/// that are under way. Any thread.
/// </summary>
internal sealed class ServingState : IProgress<LoadProgress>, IDisposable
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<string, double> _loaded = new();
    private readonly CancellationTokenSource _draining = new();
    private readonly CancellationTokenSource _closing = new();
    private ServingPhase _phase = ServingPhase.Loading;
    private ServedPair? _pair;
    private RewardSet? _rewards;
    private int _entered;

    /// <summary>Loading.</summary>
    public ServingState() => (Draining, Closing) = (_draining.Token, _closing.Token);

    /// <summary>Called with each new phase, once.</summary>
    public event Action<ServingPhase>? Changed;

    /// <summary>What the server is doing.</summary>
    public ServingPhase Phase
    {
        get { lock (_gate) return _phase; }
    }

    /// <summary>The pair, once it is loaded.</summary>
    public ServedPair? Pair
    {
        get { lock (_gate) return _pair; }
    }

    /// <summary>How much of each model is loaded, [0, 1].</summary>
    public IReadOnlyDictionary<string, double> Loaded => _loaded;

    /// <summary>
    /// Steps in a row in which all rows threw. A device whose fault lasts (CUDA's are for the process's life) fails all of them;
    /// requests that are at fault themselves would have to be sent this often with no other one running between them.
    /// </summary>
    public const int MaxFailedSteps = 10;

    /// <summary>Whether requests are taken: loaded, not draining, the engine alive.</summary>
    public bool IsReady =>
        Phase == ServingPhase.Ready && Pair!.Engine.Status is { IsRunning: true, FailedSteps: < MaxFailedSteps };

    /// <inheritdoc/>
    public void Report(LoadProgress value) =>
        _loaded[value.Model] = (double)value.LoadedBytes / Math.Max(1, value.TotalBytes);

    /// <summary>Begins a request; disposing the result ends it.</summary>
    /// <exception cref="NotServingException">No requests are taken now.</exception>
    public Lease Enter()
    {
        lock (_gate)
        {
            if (_phase != ServingPhase.Ready) throw new NotServingException(_phase);
            _entered++;
            return new Lease(this, _pair!, _rewards!);
        }
    }

    /// <summary>The pair is loaded. False where the server has been asked to stop meanwhile: the caller then keeps both.</summary>
    /// <param name="served">The pair.</param>
    /// <param name="rewards">What may score what it generates; disposed with the state.</param>
    public bool TryServe(ServedPair served, RewardSet rewards)
    {
        lock (_gate)
        {
            if (_phase != ServingPhase.Loading) return false;
            (_pair, _rewards, _phase) = (served, rewards, ServingPhase.Ready);
        }
        Changed?.Invoke(ServingPhase.Ready);
        return true;
    }

    /// <summary>Why the pair could not be loaded, in one line; null where it was.</summary>
    public string? Failure { get; private set; }

    /// <summary>The pair could not be loaded.</summary>
    /// <param name="reason">Why.</param>
    public void Fail(string reason)
    {
        Failure = reason.ReplaceLineEndings(" ");
        Leave(ServingPhase.Failed);
    }

    /// <summary>Refuses new requests from now on. The task ends once no request is under way.</summary>
    public Task DrainAsync()
    {
        Leave(ServingPhase.Draining);
        _draining.Cancel();
        Pair?.Engine.Drain();
        return _idle.Task;
    }

    /// <summary>Cancelled once the drain begins: what has not arrived whole by then is not yet a request.</summary>
    public CancellationToken Draining { get; }

    /// <summary>
    /// Cancelled once the drain is over: what is open then, and waits for its client alone, would hold up the shutdown.
    /// </summary>
    public CancellationToken Closing { get; }

    /// <summary>The drain is over.</summary>
    public void Close() => _closing.Cancel();

    /// <inheritdoc/>
    public void Dispose()
    {
        _rewards?.Dispose();
        _draining.Dispose();
        _closing.Dispose();
    }

    private void Leave(ServingPhase next)
    {
        lock (_gate)
        {
            if (_phase == ServingPhase.Failed) next = ServingPhase.Failed;
            _phase = next;
            if (_entered == 0) _idle.TrySetResult();
        }
        Changed?.Invoke(next);
    }

    private void Exit()
    {
        lock (_gate)
            if (--_entered == 0 && _phase != ServingPhase.Ready) _idle.TrySetResult();
    }

    /// <summary>A request that is under way.</summary>
    internal sealed class Lease(ServingState state, ServedPair pair, RewardSet rewards) : IDisposable
    {
        /// <summary>What serves it.</summary>
        public ServedPair Pair { get; } = pair;

        /// <summary>Score what it generates.</summary>
        public RewardSet Rewards { get; } = rewards;

        /// <summary>Runs it, where it generates.</summary>
        public GenerationService Generations { get; } = new(pair);

        /// <summary>Ends the request.</summary>
        public void Dispose() => state.Exit();
    }
}
