namespace DeRa.Hosting.Security;

/// <summary>Reads files again every few seconds, and takes them into use where they have changed.</summary>
public sealed class FileReloading(IEnumerable<ReloadedFiles> files, TimeProvider time, ILogger<FileReloading> log) : BackgroundService
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
