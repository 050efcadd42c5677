using DeRa.Gateway.Balancing;
using DeRa.Gateway.Replicas;
using DeRa.Gateway.Telemetry;

namespace DeRa.Gateway.Forwarding;

/// <summary>Chooses the replicas at which a request is tried, one after the other.</summary>
/// <param name="set">The replicas.</param>
/// <param name="policy">Chooses among them.</param>
/// <param name="routes">Where generations run.</param>
/// <param name="metrics">Receives what was chosen.</param>
internal sealed class ReplicaRouter(ReplicaSet set, IBalancingPolicy policy, GenerationRoutes routes, GatewayMetrics metrics)
{
    /// <summary>The next replica; null = there is no other.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tried">Where it was tried.</param>
    public Replica? Next(RoutedRequest request, IReadOnlyCollection<Replica> tried)
    {
        if (request.GenerationId is { } id) return Running(id, tried);
        var candidates = Candidates(request, tried);
        if (candidates.Count == 0) return null;
        var choice = policy.Choose(request.Key, [.. candidates.Select(replica => replica.ToCandidate())]);
        if (request.Key is not null && tried.Count == 0) metrics.Routed(choice.IsFirst);
        return candidates[choice.Index];
    }

    /// <summary>Whether there is a further one.</summary>
    public bool HasNext(RoutedRequest request, IReadOnlyCollection<Replica> tried) =>
        request.GenerationId is { } id ? Running(id, tried) is not null : Candidates(request, tried).Count > 0;

    /// <summary>
    /// Where a generation runs. One that this gateway did not see is asked for at each replica: it may be streamed through another gateway,
    /// and a replica that does not have it says so.
    /// </summary>
    private Replica? Running(string id, IReadOnlyCollection<Replica> tried) => routes.Find(id) is { } known
        ? tried.Count == 0 ? known : null
        : set.All.FirstOrDefault(replica => replica.IsReady && !tried.Contains(replica));

    private List<Replica> Candidates(RoutedRequest request, IReadOnlyCollection<Replica> tried)
    {
        var able = set.All.Where(replica => !tried.Contains(replica) && (!request.IsGrpc || replica.Address.Grpc is not null)).ToList();
        var available = able.Where(replica => replica.IsAvailable).ToList();
        // Where all are ejected, one that says it is ready is better than none.
        return available.Count > 0 ? available : [.. able.Where(replica => replica.IsReady)];
    }
}
