using System.Diagnostics.Metrics;

namespace DeRa.Gateway.Telemetry;

/// <summary>The gateway's instruments; <c>/metrics</c> has them with underscores for dots.</summary>
public sealed class GatewayMetrics : IDisposable
{
    /// <summary>The meter's name.</summary>
    public const string Name = "DeRa.Gateway";

    private const string Replica = "replica";

    private readonly Meter _meter = new(Name);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _retries;
    private readonly Counter<long> _affinity;
    private readonly Counter<long> _ejections;
    private readonly UpDownCounter<long> _inFlight;
    private readonly Histogram<double> _firstByte;

    /// <summary>Makes the instruments.</summary>
    public GatewayMetrics()
    {
        _requests = _meter.CreateCounter<long>("dera.gateway.requests", "{request}", "Requests by the replica that they ended at, and how");
        _retries = _meter.CreateCounter<long>("dera.gateway.retries", "{request}", "Requests that a replica did not take, by it and why");
        _affinity = _meter.CreateCounter<long>("dera.gateway.affinity", "{request}",
            "Requests with a prompt, by whether they went to the replica that their beginning comes to first");
        _ejections = _meter.CreateCounter<long>("dera.gateway.ejections", "{ejection}", "Replicas that were ejected, and why");
        _inFlight = _meter.CreateUpDownCounter<long>("dera.gateway.in_flight", "{request}", "Requests that are under way at a replica");
        _firstByte = _meter.CreateHistogram("dera.gateway.time_to_first_byte", "s", "Time from a request's arrival to its response's begin",
            null, new InstrumentAdvice<double>
            {
                HistogramBucketBoundaries = [.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 25, 50, 100],
            });
    }

    /// <summary>Adds a gauge of replicas by their state.</summary>
    /// <param name="counts">Gives them.</param>
    public void ObserveReplicas(Func<IEnumerable<(string State, int Count)>> counts) =>
        _meter.CreateObservableGauge("dera.gateway.replicas",
            () => counts().Select(now => new Measurement<int>(now.Count, new KeyValuePair<string, object?>("state", now.State))),
            "{replica}", "Replicas by their state");

    /// <summary>A request has ended.</summary>
    public void Ended(string replica, string outcome) => _requests.Add(1, new(Replica, replica), new("outcome", outcome));

    /// <summary>A replica did not take a request, which goes on to another one.</summary>
    public void TriedAgain(string replica, string reason) => _retries.Add(1, new(Replica, replica), new("reason", reason));

    /// <summary>A request with a prompt has a replica.</summary>
    public void Routed(bool isFirst) => _affinity.Add(1, new KeyValuePair<string, object?>("hit", isFirst ? "true" : "false"));

    /// <summary>A replica was ejected.</summary>
    public void Ejected(string replica, string reason) => _ejections.Add(1, new(Replica, replica), new("reason", reason));

    /// <summary>Requests have begun or ended at a replica.</summary>
    public void UnderWay(string replica, int more) => _inFlight.Add(more, new KeyValuePair<string, object?>(Replica, replica));

    /// <summary>A response has begun.</summary>
    public void Began(TimeSpan after) => _firstByte.Record(after.TotalSeconds);

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();
}
