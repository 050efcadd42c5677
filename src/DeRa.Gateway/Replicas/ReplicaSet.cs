using DeRa.Gateway.Options;

namespace DeRa.Gateway.Replicas;

/// <summary>
/// The replicas that there are, from all sources together. One that is named again keeps its state; one that is named no more gets nothing
/// new, and what runs there runs to its end. Any thread.
/// </summary>
/// <param name="options">When they get requests.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Receives who comes and goes.</param>
public sealed class ReplicaSet(HealthOptions options, TimeProvider time, ILogger<ReplicaSet> log)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, IReadOnlyList<ReplicaAddress>> _bySource = [];
    private Replica[] _all = [];

    /// <summary>All of them, in the order of their names.</summary>
    public IReadOnlyList<Replica> All => Volatile.Read(ref _all);

    /// <summary>Called with each new list.</summary>
    public event Action? Changed;

    /// <summary>Says what a source has now.</summary>
    /// <param name="source">Which.</param>
    /// <param name="addresses">All of its replicas.</param>
    public void Set(string source, IReadOnlyList<ReplicaAddress> addresses)
    {
        lock (_gate)
        {
            _bySource[source] = addresses;
            var old = _all.ToDictionary(replica => replica.Address);
            var now = _bySource.Values.SelectMany(own => own).DistinctBy(address => address.Name).ToList();
            if (now.Count == old.Count && now.All(old.ContainsKey)) return;
            foreach (var address in now.Where(address => !old.ContainsKey(address))) GatewayLog.ReplicaAdded(log, address.Name);
            foreach (var gone in old.Keys.Except(now)) GatewayLog.ReplicaRemoved(log, gone.Name);
            Volatile.Write(ref _all, [.. now
                .Select(address => old.GetValueOrDefault(address) ?? new Replica(address, options, time))
                .OrderBy(replica => replica.Name, StringComparer.Ordinal)]);
        }
        Changed?.Invoke();
    }
}
