namespace DeRa.Engine.Branches;

/// <summary>
/// When things happened to a sequence, as timestamps of the engine's clock. Written by the engine's thread before it reports
/// what happened; may be read from any.
/// </summary>
internal sealed class BranchClock(long submitted)
{
    private const long NotYet = long.MinValue;
    private long _admitted = NotYet;
    private long _firstToken = NotYet;
    private long _lastToken = NotYet;
    private long _ended = NotYet;

    /// <summary>It was taken into the queue.</summary>
    public long Submitted { get; } = submitted;

    /// <summary>It left the queue to run; null before, and for ever where it was cancelled there.</summary>
    public long? Admitted
    {
        get => Read(ref _admitted);
        set => Volatile.Write(ref _admitted, value ?? NotYet);
    }

    /// <summary>Its first token was there.</summary>
    public long? FirstToken => Read(ref _firstToken);

    /// <summary>Its latest token was there.</summary>
    public long? LastToken => Read(ref _lastToken);

    /// <summary>It ended, in whatever way.</summary>
    public long? Ended
    {
        get => Read(ref _ended);
        set => Volatile.Write(ref _ended, value ?? NotYet);
    }

    /// <summary>A token is there.</summary>
    public void Token(long now)
    {
        if (_firstToken == NotYet) Volatile.Write(ref _firstToken, now);
        Volatile.Write(ref _lastToken, now);
    }

    private static long? Read(ref long timestamp) => Volatile.Read(ref timestamp) is var at && at == NotYet ? null : at;
}
