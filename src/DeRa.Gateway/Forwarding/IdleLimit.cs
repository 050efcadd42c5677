using DeRa.Gateway.Errors;

namespace DeRa.Gateway.Forwarding;

/// <summary>
/// Notices that nothing has come for too long, from the replica nor from the client. Until the response's head is there this ends the
/// request; after that it ends only reads of the response, which then has an end of its own. Any thread.
/// </summary>
internal sealed class IdleLimit : IDisposable
{
    private readonly int _seconds;
    private readonly CancellationTokenSource _over;
    private readonly CancellationTokenSource _overBeforeHead = new();
    private readonly CancellationTokenRegistration _link;

    /// <summary>Begins to watch.</summary>
    /// <param name="seconds">For how long nothing may come.</param>
    /// <param name="time">The clock.</param>
    public IdleLimit(int seconds, TimeProvider time)
    {
        (_seconds, _over) = (seconds, new CancellationTokenSource(TimeSpan.FromSeconds(seconds), time));
        _link = _over.Token.UnsafeRegister(static before => ((CancellationTokenSource)before!).Cancel(), _overBeforeHead);
    }

    /// <summary>Nothing has come for too long.</summary>
    public CancellationToken Over => _over.Token;

    /// <summary>The same, but never once the response's head is there.</summary>
    public CancellationToken OverBeforeHead => _overBeforeHead.Token;

    /// <summary>Whether nothing has come for too long.</summary>
    public bool IsOver => _over.IsCancellationRequested;

    /// <summary>What the client is told then.</summary>
    public GatewayError Error => GatewayError.TimedOut(_seconds);

    /// <summary>Something has come.</summary>
    public void Touch() => _over.CancelAfter(TimeSpan.FromSeconds(_seconds));

    /// <summary>The response's head has come.</summary>
    public void Begin()
    {
        _link.Dispose();
        Touch();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _link.Dispose();
        _over.Dispose();
        _overBeforeHead.Dispose();
    }
}
