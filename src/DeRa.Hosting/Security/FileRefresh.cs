namespace DeRa.Hosting.Security;

/// <summary>Looks every few seconds whether watched files have changed.</summary>
internal sealed class FileRefresh(IEnumerable<WatchedFiles> files, TimeProvider time, ILogger<FileRefresh> log) : BackgroundService
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var looks = new PeriodicTimer(Interval, time);
        try
        {
            while (await looks.WaitForNextTickAsync(stoppingToken))
                foreach (var file in files) file.Refresh(log);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
    }
}
