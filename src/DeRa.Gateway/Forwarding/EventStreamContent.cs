using System.Net;
using DeRa.Gateway.Errors;

namespace DeRa.Gateway.Forwarding;

/// <summary>
/// The events of a response, unchanged. Where the replica breaks off they end with an error event, as a replica itself ends a stream that
/// fails: a client that has read half of a text must not take it for the whole.
/// </summary>
/// <param name="content">The replica's.</param>
/// <param name="broken">Called where it breaks off.</param>
internal sealed class EventStreamContent(HttpContent content, Action broken) : HttpContent
{
    /// <inheritdoc/>
    protected override async Task<Stream> CreateContentReadStreamAsync() => new Events(await content.ReadAsStreamAsync(), broken);

    /// <inheritdoc/>
    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new Events(await content.ReadAsStreamAsync(cancellationToken), broken);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => content.CopyToAsync(stream, context);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) content.Dispose();
        base.Dispose(disposing);
    }

    private sealed class Events(Stream events, Action broken) : ForwardStream
    {
        private ReadOnlyMemory<byte> _error;
        private bool _isBroken;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isBroken) return TakeError(buffer);
            try
            {
                return await events.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException)
            {
                // An event that had begun is ended first; an empty line more between events is nothing.
                (_isBroken, _error) = (true, (byte[])[.. "\n\ndata: "u8, .. GatewayError.BrokenOff.ToJson(), .. "\n\n"u8]);
                broken();
                return TakeError(buffer);
            }
        }

        private int TakeError(Memory<byte> buffer)
        {
            var taken = Math.Min(buffer.Length, _error.Length);
            _error[..taken].CopyTo(buffer);
            _error = _error[taken..];
            return taken;
        }
    }
}
