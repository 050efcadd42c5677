using System.Collections.Concurrent;

namespace DeRa.Hub.Tests;

/// <summary>
/// A clock on which every wait is over at once, and which remembers how long each was to be. Limits on silence never run out,
/// unless a test says so.
/// </summary>
internal sealed class InstantTime : TimeProvider
{
    public ConcurrentQueue<TimeSpan> Waits { get; } = [];

    /// <summary>How many of the next limits on silence run out at once.</summary>
    public int SilencesLeft { get; set; }

    /// <summary>Told of each wait.</summary>
    public Action? Waiting { get; set; }

    public override DateTimeOffset GetUtcNow() => new(2030, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new InstantTimer(this, callback, state).Begin(dueTime);

    private sealed class InstantTimer(InstantTime clock, TimerCallback callback, object? state) : ITimer
    {
        private bool _disposed;

        public InstantTimer Begin(TimeSpan dueTime)
        {
            Change(dueTime, Timeout.InfiniteTimeSpan);
            return this;
        }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime < TimeSpan.Zero || (dueTime == StallGuard.Longest && clock.SilencesLeft-- <= 0)) return true;
            clock.Waits.Enqueue(dueTime);
            clock.Waiting?.Invoke();
            // Never on the caller's stack, on which a real timer's callback does not run either.
            ThreadPool.QueueUserWorkItem(_ => { if (!_disposed) callback(state); });
            return true;
        }

        public void Dispose() => _disposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
