using DeRa.Gateway.Balancing;
using DeRa.Gateway.Options;

namespace DeRa.Gateway.Replicas;

/// <summary>
/// A replica: what the gateway has sent there, what it reports, and whether it gets more. A replica counts as not ready until it has once
/// said otherwise. Any thread.
/// </summary>
/// <param name="address">Where it is.</param>
/// <param name="options">When it gets requests.</param>
/// <param name="time">The clock.</param>
public sealed class Replica(ReplicaAddress address, HealthOptions options, TimeProvider time)
{
    /// <summary>The part of its load with which it starts.</summary>
    private const double FirstShare = .1;

    private readonly Lock _gate = new();
    private int _inFlight;
    private double _others;
    private int _failures;
    private bool _isReady;
    private long _readySince;
    private long? _ejectedAt;

    /// <summary>Where it is.</summary>
    public ReplicaAddress Address { get; } = address;

    /// <summary>Its name in logs and metrics.</summary>
    public string Name { get; } = address.Name;

    /// <summary>Its place in the order of keys.</summary>
    public ulong Id { get; } = RendezvousHash.OfName(address.Name);

    /// <summary>Requests of this gateway that are under way there.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Why it gets nothing; null = it does.</summary>
    public string? Reason { get; private set; } = "not yet seen";

    /// <summary>Whether its last /readyz was good.</summary>
    public bool IsReady
    {
        get { lock (_gate) return _isReady; }
    }

    /// <summary>Whether it gets requests.</summary>
    public bool IsAvailable
    {
        get { lock (_gate) return _isReady && _ejectedAt is null; }
    }

    /// <summary>
    /// What it looks like to a policy. Its load is what this gateway has there now, and what it reported beyond that: requests of other
    /// gateways, and further choices of ours.
    /// </summary>
    public Candidate ToCandidate()
    {
        lock (_gate) return new Candidate(Id, _inFlight + _others, Share());
    }

    /// <summary>A request goes there.</summary>
    public void Begin() => Interlocked.Increment(ref _inFlight);

    /// <summary>It is over.</summary>
    public void End() => Interlocked.Decrement(ref _inFlight);

    /// <summary>It has said how many sequences run and wait there.</summary>
    /// <param name="sequences">All of them; null = it did not say.</param>
    /// <param name="inFlightBefore">This gateway's requests there when it was asked: some may have ended since.</param>
    public void Report(double? sequences, int inFlightBefore = 0)
    {
        lock (_gate) _others = Math.Max(0, (sequences ?? 0) - Math.Max(InFlight, inFlightBefore));
    }

    /// <summary>Its /readyz was good. False where it was so before.</summary>
    public bool BecomeReady()
    {
        lock (_gate)
        {
            if (_ejectedAt is { } at && time.GetElapsedTime(at) < TimeSpan.FromSeconds(options.EjectSeconds)) return false;
            if (_isReady && _ejectedAt is null) return false;
            (_isReady, _ejectedAt, _failures, _readySince, Reason) = (true, null, 0, time.GetTimestamp(), null);
            return true;
        }
    }

    /// <summary>Its /readyz was not good. False where it was so before, for the same reason.</summary>
    /// <param name="reason">Why.</param>
    public bool BecomeUnready(string reason)
    {
        lock (_gate)
        {
            var isNew = _isReady || Reason != reason;
            (_isReady, Reason) = (false, reason);
            return isNew;
        }
    }

    /// <summary>A request has gone well.</summary>
    public void Succeed()
    {
        lock (_gate) _failures = 0;
    }

    /// <summary>A request has failed there. True where this ejects it.</summary>
    /// <param name="isUnreachable">Whether it could not be reached.</param>
    public bool Fail(bool isUnreachable)
    {
        lock (_gate)
        {
            if (++_failures < options.EjectAfter && !isUnreachable) return false;
            var isNew = _isReady && _ejectedAt is null;
            (_ejectedAt, Reason) = (time.GetTimestamp(), "ejected");
            return isNew;
        }
    }

    private double Share()
    {
        if (options.SlowStartSeconds <= 0) return 1;
        return Math.Clamp(time.GetElapsedTime(_readySince).TotalSeconds / options.SlowStartSeconds, FirstShare, 1);
    }
}
