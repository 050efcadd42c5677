using System.Net;
using DeRa.Gateway.Errors;

namespace DeRa.Gateway.Forwarding;

/// <summary>
/// A response's body, unchanged. Where the replica breaks off or falls silent, what can have last words ends with them: a client that has
/// read half of a text must not take it for the whole.
/// </summary>
/// <param name="content">The replica's.</param>
/// <param name="idle">Says when it has been silent for too long.</param>
/// <param name="failed">
/// Receives the error; returns the last words, or null where there can be none: the response then breaks off too.
/// </param>
internal sealed class ReplicaContent(HttpContent content, IdleLimit idle, Func<GatewayError, byte[]?> failed) : HttpContent
{
    /// <inheritdoc/>
    protected override async Task<Stream> CreateContentReadStreamAsync() =>
        new Body(await content.ReadAsStreamAsync(), idle, failed);

    /// <inheritdoc/>
    protected override async Task<Stream> CreateContentReadStreamAsync(CancellationToken cancellationToken) =>
        new Body(await content.ReadAsStreamAsync(cancellationToken), idle, failed);

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

    private sealed class Body(Stream body, IdleLimit idle, Func<GatewayError, byte[]?> failed) : ForwardStream
    {
        private CancellationTokenSource? _end;
        private ReadOnlyMemory<byte>? _lastWords;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_lastWords is not null) return TakeLastWords(buffer.Span);
            // One for all reads: they all have the same token.
            _end ??= CancellationTokenSource.CreateLinkedTokenSource(idle.Over, cancellationToken);
            try
            {
                var read = await body.ReadAsync(buffer, _end.Token);
                idle.Touch();
                return read;
            }
            catch (Exception fault) when (!cancellationToken.IsCancellationRequested
                && (idle.IsOver || fault is IOException or HttpRequestException))
            {
                if (failed(idle.IsOver ? idle.Error : GatewayError.BrokenOff) is not { } words) throw;
                _lastWords = words;
                return TakeLastWords(buffer.Span);
            }
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _end?.Dispose();
                body.Dispose();
            }
            base.Dispose(disposing);
        }

        private int TakeLastWords(Span<byte> buffer)
        {
            var words = _lastWords.GetValueOrDefault();
            var taken = Math.Min(buffer.Length, words.Length);
            words.Span[..taken].CopyTo(buffer);
            _lastWords = words[taken..];
            return taken;
        }
    }
}
