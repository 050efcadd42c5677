namespace DeRa.Server.Uploads;

/// <summary>
/// Where long requests are parsed and encoded: a few at a time, each on a thread of its own. It takes long and much memory,
/// and on the threads that serve requests it would keep everything else waiting, /livez too. Short requests go past it.
/// </summary>
internal sealed class Encoders : IDisposable
{
    /// <summary>Up to here a request is short: encoded where it is, in milliseconds.</summary>
    public const int ShortBytes = 64 << 10;

    private readonly SemaphoreSlim _free = new(AtOnce);

    /// <summary>How many work at once. The models need the processors more.</summary>
    public static int AtOnce { get; } = Math.Max(1, Environment.ProcessorCount / 4);

    /// <summary>Runs something that takes as long as a request is.</summary>
    /// <param name="bytes">The request's size.</param>
    /// <param name="encode">What to run.</param>
    /// <param name="cancellation">Ends the wait for a free encoder; what runs is run to its end.</param>
    public async Task<T> RunAsync<T>(long bytes, Func<T> encode, CancellationToken cancellation)
    {
        if (bytes <= ShortBytes) return encode();
        await _free.WaitAsync(cancellation);
        try
        {
            return await Task.Factory.StartNew(encode, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            _free.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _free.Dispose();
}
