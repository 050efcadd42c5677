using DeRa.Hosting.Security;

namespace DeRa.Server.State;

/// <summary>Bounds how often a client changes the strength of one running generation. Any thread.</summary>
internal sealed class ChangeRate(TimeProvider time)
{
    /// <summary>Far more than a slider that is dragged sends: beyond it a client only keeps the server busy.</summary>
    public const int MaxChangesPerSecond = 1000;

    private readonly Lock _gate = new();
    private long _secondBegan = time.GetTimestamp();
    private int _changesInSecond;

    /// <summary>Counts a change.</summary>
    /// <param name="what">How the client asked for it, for the error.</param>
    /// <exception cref="LimitExceededException">It is one too many.</exception>
    public void Count(string what)
    {
        lock (_gate)
        {
            if (time.GetElapsedTime(_secondBegan) >= TimeSpan.FromSeconds(1)) (_secondBegan, _changesInSecond) = (time.GetTimestamp(), 0);
            if (++_changesInSecond <= MaxChangesPerSecond) return;
        }
        throw new LimitExceededException($"{what} may be sent at most {MaxChangesPerSecond} times a second.", 1);
    }
}
