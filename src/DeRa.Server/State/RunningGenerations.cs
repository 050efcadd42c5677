using System.Collections.Concurrent;
using System.Security.Cryptography;
using DeRa.Serving.Streaming;

namespace DeRa.Server.State;

/// <summary>The generations that are streamed over HTTP now, by ids that nobody can guess and no log holds. Any thread.</summary>
internal sealed class RunningGenerations(TimeProvider time)
{
    /// <summary>Under which path they are found, each by its id.</summary>
    public const string Path = "/v1/realignment/generations";

    private const int IdBytes = 16;
    private readonly ConcurrentDictionary<string, RunningGeneration> _byId = new(StringComparer.Ordinal);

    /// <summary>How many there are.</summary>
    public int Count => _byId.Count;

    /// <summary>Adds one; disposing the result takes it away.</summary>
    /// <param name="generation">What runs.</param>
    /// <param name="key">The name of its client's API key; null where none is needed.</param>
    public RunningGeneration Add(Generation generation, string? key)
    {
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));
        return _byId[id] = new RunningGeneration(id, generation, key, new ChangeRate(time), () => _byId.TryRemove(id, out _));
    }

    /// <summary>Finds one.</summary>
    /// <param name="id">Its id.</param>
    /// <param name="key">The name of the API key of who asks; null where none is needed.</param>
    /// <exception cref="GenerationNotFoundException">There is none, or it is another key's.</exception>
    public RunningGeneration Find(string id, string? key) =>
        _byId.TryGetValue(id, out var running) && running.Key == key ? running : throw new GenerationNotFoundException();
}

/// <summary>A generation that is being streamed.</summary>
/// <param name="Id">Its id: whoever has it, and the same API key, may change what it does.</param>
/// <param name="Generation">What runs.</param>
/// <param name="Key">The name of its client's API key; null where none is needed.</param>
/// <param name="Rate">Counts changes.</param>
/// <param name="End">Takes it away.</param>
internal sealed record RunningGeneration(string Id, Generation Generation, string? Key, ChangeRate Rate, Action End) : IDisposable
{
    /// <inheritdoc/>
    public void Dispose() => End();
}
