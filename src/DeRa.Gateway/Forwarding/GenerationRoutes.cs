using System.Collections.Concurrent;
using DeRa.Gateway.Replicas;

namespace DeRa.Gateway.Forwarding;

/// <summary>Where the generations run that are streamed through this gateway, by the ids in their responses' headers. Any thread.</summary>
public sealed class GenerationRoutes
{
    /// <summary>The header of a stream's response that has its id.</summary>
    public const string Header = "x-generation-id";

    private readonly ConcurrentDictionary<string, Replica> _byId = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _byId.Count;

    /// <summary>One has begun.</summary>
    public void Add(string id, Replica replica) => _byId[id] = replica;

    /// <summary>It is over.</summary>
    public void Remove(string id) => _byId.TryRemove(id, out _);

    /// <summary>Where it runs; null = not through this gateway.</summary>
    public Replica? Find(string id) => _byId.GetValueOrDefault(id);
}
