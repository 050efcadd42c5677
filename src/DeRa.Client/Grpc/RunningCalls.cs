using System.Collections.Concurrent;
using DeRa.Protos.V1;
using Grpc.Core;

namespace DeRa.Client.Grpc;

/// <summary>The streams of a client that run, by the ids that it gave them. Any thread.</summary>
internal sealed class RunningCalls
{
    private readonly ConcurrentDictionary<string, RunningCall> _calls = new();

    /// <summary>Adds a stream until it is disposed.</summary>
    public RunningCall Add(IClientStreamWriter<ConverseRequest> requests)
    {
        var call = new RunningCall(Guid.NewGuid().ToString("n"), requests, ended => _calls.TryRemove(ended, out _));
        _calls[call.Id] = call;
        return call;
    }

    /// <summary>Finds a stream.</summary>
    /// <exception cref="RpcException">It is not known, or has ended.</exception>
    public RunningCall Find(string id) => _calls.TryGetValue(id, out var call) ? call : throw Ended();

    /// <summary>What a change says of a stream that is over, as the server would.</summary>
    public static RpcException Ended() =>
        new(new Status(StatusCode.NotFound, "no stream of this client that runs has this generation id."));
}

/// <summary>A stream that runs.</summary>
/// <param name="id">By which the client knows it.</param>
/// <param name="requests">Where to write.</param>
/// <param name="ended">Called once it is over.</param>
internal sealed class RunningCall(string id, IClientStreamWriter<ConverseRequest> requests, Action<string> ended) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1, 1); // one write at a time

    /// <summary>By which the client knows it.</summary>
    public string Id => id;

    /// <summary>Writes a message.</summary>
    public async Task WriteAsync(ConverseRequest message, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await requests.WriteAsync(message, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => ended(id);
}
