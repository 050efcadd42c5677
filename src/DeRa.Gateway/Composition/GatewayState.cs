using DeRa.Gateway.Errors;

namespace DeRa.Gateway.Composition;

/// <summary>Which requests are under way, so that a stop can wait for them. Any thread.</summary>
internal sealed class GatewayState
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _idle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _entered;
    private bool _isDraining;

    /// <summary>Whether the gateway is about to end.</summary>
    public bool IsDraining
    {
        get { lock (_gate) return _isDraining; }
    }

    /// <summary>Begins a request.</summary>
    /// <exception cref="GatewayException">No requests are taken any more.</exception>
    public void Enter()
    {
        lock (_gate)
        {
            if (_isDraining) throw new GatewayException(GatewayError.Draining);
            _entered++;
        }
    }

    /// <summary>Ends it.</summary>
    public void Exit()
    {
        lock (_gate)
            if (--_entered == 0 && _isDraining) _idle.TrySetResult();
    }

    /// <summary>Refuses new requests from now on. The task ends once none is under way.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            _isDraining = true;
            if (_entered == 0) _idle.TrySetResult();
        }
        return _idle.Task;
    }
}
