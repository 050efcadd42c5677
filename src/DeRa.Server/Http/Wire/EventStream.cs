using System.IO.Pipelines;
using System.Text.Json;
using DeRa.Server.Errors;

namespace DeRa.Server.Http.Wire;

/// <summary>
/// Writes server-sent events, each one line of JSON, straight into the response's pipe. No event has an <c>id:</c>: it
/// would turn a following comment into an empty event, on which clients fail.
/// </summary>
internal sealed class EventStream : IDisposable
{
    /// <summary>Events that are sent together at most.</summary>
    internal const int MaxEventsTogether = 64;

    private readonly PipeWriter _pipe;
    private readonly Utf8JsonWriter _json;
    private readonly HttpContext _context;
    private readonly SlowReaders _readers;
    private int _unsentEvents;
    private bool _hasSent;

    /// <summary>Sets the headers of an event stream; they go out with the first flush.</summary>
    /// <param name="response">Where to; headers must not be out yet.</param>
    public EventStream(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "text/event-stream; charset=utf-8";
        response.Headers.CacheControl = "no-cache";
        response.Headers["X-Accel-Buffering"] = "no";
        _context = response.HttpContext;
        _readers = _context.RequestServices.GetRequiredService<SlowReaders>();
        _pipe = response.BodyWriter;
        _json = new Utf8JsonWriter(_pipe, WireJson.Format);
    }

    /// <summary>
    /// Whether what is written must go out though more is there to be written: the first event at once, later ones with at most so many
    /// together. An engine that is always ahead would otherwise leave the client without a byte, and all of the response in memory.
    /// </summary>
    public bool IsDue => _unsentEvents >= (_hasSent ? MaxEventsTogether : 1);

    /// <summary>Begins an event; what is written to the result is its data.</summary>
    public Utf8JsonWriter Begin()
    {
        Write("data: "u8);
        return _json;
    }

    /// <summary>Ends the event that was begun.</summary>
    public void End()
    {
        _json.Flush();
        _json.Reset();
        Write("\n\n"u8);
        _unsentEvents++;
    }

    /// <summary>The event after which nothing comes.</summary>
    public void Done() => Write("data: [DONE]\n\n"u8);

    /// <summary>Sends what has been written.</summary>
    /// <exception cref="ReaderTooSlowException">The client has not taken it in time; it is disconnected.</exception>
    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        (_unsentEvents, _hasSent) = (0, true);
        var flush = _pipe.FlushAsync(cancellation);
        if (!flush.IsCompletedSuccessfully) await _readers.SentAsync(flush.AsTask(), _context);
    }

    /// <inheritdoc/>
    public void Dispose() => _json.Dispose();

    private void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_pipe.GetSpan(bytes.Length));
        _pipe.Advance(bytes.Length);
    }
}
