using System.Collections.Concurrent;

namespace DeRa.Hub.Tests;

/// <summary>
/// Lets a server wait until its reader has what was sent: breaking a connection earlier may take bytes back that are still on
/// their way.
/// </summary>
internal sealed class Arrivals : IProgress<DownloadProgress>
{
    private readonly ConcurrentDictionary<(string File, long Bytes), TaskCompletionSource> _arrived = new();

    public Action<DownloadProgress>? Heard { get; set; }

    public void Report(DownloadProgress value)
    {
        Source(value.File, value.FileBytes).TrySetResult();
        Heard?.Invoke(value);
    }

    /// <summary>Done when exactly so many bytes of the file have been on the reader's disk.</summary>
    public Task Of(string file, long bytes) => Source(file, bytes).Task;

    private TaskCompletionSource Source(string file, long bytes) =>
        _arrived.GetOrAdd((file, bytes), _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
