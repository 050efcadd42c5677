namespace DeRa.Hub;

/// <summary>Gives up a wait on the network in which nothing has come for a while. For one request at a time.</summary>
internal sealed class StallGuard : IDisposable
{
    /// <summary>The longest silence.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);

    private readonly HubName _name;
    private readonly CancellationToken _outer;
    private readonly CancellationTokenSource _silence;
    private readonly CancellationTokenSource _either;

    public StallGuard(HubName name, TimeProvider time, CancellationToken cancellation)
    {
        (_name, _outer) = (name, cancellation);
        _silence = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        _either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _silence.Token);
    }

    /// <summary>Waits for one piece of a response.</summary>
    /// <exception cref="HubException">The network failed or stayed silent.</exception>
    public async ValueTask<T> WaitAsync<T>(Uri address, Func<CancellationToken, ValueTask<T>> piece)
    {
        _silence.CancelAfter(Longest);
        try
        {
            return await piece(_either.Token);
        }
        catch (OperationCanceledException exception) when (!_outer.IsCancellationRequested)
        {
            throw new HubException(_silence.IsCancellationRequested
                ? $"'{_name}': nothing came from {address.Host} for {Longest.TotalSeconds} s."
                : $"'{_name}': {address.Host} cannot be reached.", exception)
            { MayPass = true };
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or InvalidDataException)
        {
            throw new HubException($"'{_name}': {address.Host} does not respond: {exception.Message}", exception) { MayPass = true };
        }
        finally
        {
            _silence.CancelAfter(Timeout.InfiniteTimeSpan);
        }
    }

    public void Dispose()
    {
        _either.Dispose();
        _silence.Dispose();
    }
}
