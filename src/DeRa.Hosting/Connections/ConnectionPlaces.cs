namespace DeRa.Hosting.Connections;

/// <summary>The connections that may be open at once, over all ports. Any thread.</summary>
/// <param name="most">How many.</param>
public sealed class ConnectionPlaces(int most) : IDisposable
{
    private readonly SemaphoreSlim _free = new(most);

    /// <summary>Connections that are open.</summary>
    public int InUse => most - _free.CurrentCount;

    /// <summary>Waits for a place and takes it.</summary>
    public Task TakeAsync(CancellationToken cancellation) => _free.WaitAsync(cancellation);

    /// <summary>Gives a place back.</summary>
    public void Free() => _free.Release();

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();
}
