using DeRa.Engine.Branches;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// What waits, client by client: next is the client for whom the fewest tokens were run (virtual token counter; Sheng et al., Fairness in
/// Serving Large Language Models, OSDI 2024), of its units the one with the lowest priority number, then the first come. Engine thread
/// only.
/// </summary>
internal sealed class FairQueue
{
    /// <summary>Clients that are remembered though nothing of theirs waits or runs: those for whom most was done.</summary>
    private const int MaxIdleClients = 1024;

    private readonly Dictionary<string, Client> _clients = [];
    private readonly List<Client> _active = [];
    private long _arrivals;
    // Where a client begins that comes while no other is there.
    private long _least;

    /// <summary>Units that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Clients of whom something waits or runs.</summary>
    public int ActiveClients => _active.Count;

    /// <summary>Clients that are remembered.</summary>
    public int KnownClients => _clients.Count;

    /// <summary>Takes a unit that comes, or comes back.</summary>
    public void Enqueue(SchedulingUnit unit)
    {
        if (unit.Client is null)
        {
            unit.Arrival = _arrivals++;
            unit.Client = ClientOf(unit.Branches[0].Request.Client);
        }
        unit.Client.Waiting.Enqueue(unit, unit.Order);
        Count++;
    }

    /// <summary>The unit that goes next; null where none waits.</summary>
    public SchedulingUnit? Peek()
    {
        Client? next = null;
        foreach (var client in _active)
            if (client.Waiting.Count > 0 && (next is null || IsBefore(client, next))) next = client;
        return next?.Waiting.Peek();
    }

    /// <summary>Takes a unit out.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(SchedulingUnit unit)
    {
        var waiting = unit.Client.Waiting;
        var found = waiting.Count > 0 && waiting.Peek() == unit ? waiting.Dequeue() == unit : waiting.Remove(unit, out _, out _);
        if (found) Count--;
        return found;
    }

    /// <summary>Something of a client has ended: it may have nothing left.</summary>
    public void Ended(Client client)
    {
        if (client.IsActive || !_active.Remove(client)) return;
        if (_active.Count == 0) _least = client.ChargedTokens;
        if (_clients.Count - _active.Count > MaxIdleClients) ForgetIdleClients();
    }

    /// <summary>Takes everything out.</summary>
    public List<SchedulingUnit> Clear()
    {
        var all = new List<SchedulingUnit>(Count);
        foreach (var client in _active)
            while (client.Waiting.TryDequeue(out var unit, out _)) all.Add(unit);
        Count = 0;
        return all;
    }

    private static bool IsBefore(Client client, Client other) =>
        (client.ChargedTokens, client.Waiting.Peek().Arrival).CompareTo((other.ChargedTokens, other.Waiting.Peek().Arrival)) < 0;

    /// <summary>A client that was away begins no lower than the lowest of those that were not.</summary>
    private Client ClientOf(string name)
    {
        if (!_clients.TryGetValue(name, out var client)) _clients.Add(name, client = new Client(name));
        if (client.IsActive) return client;
        var least = _active.Count == 0 ? _least : long.MaxValue;
        foreach (var other in _active) least = Math.Min(least, other.ChargedTokens);
        client.ChargedTokens = Math.Max(client.ChargedTokens, least);
        _active.Add(client);
        return client;
    }

    /// <summary>Forgets half of them, those for whom least was done: they begin anew with hardly a difference.</summary>
    private void ForgetIdleClients()
    {
        var idle = _clients.Values.Where(client => !client.IsActive).OrderBy(client => client.ChargedTokens).ToList();
        foreach (var client in idle[..(idle.Count / 2)]) _clients.Remove(client.Name);
    }
}
