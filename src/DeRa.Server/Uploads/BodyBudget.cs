using DeRa.Hosting.Security;
using DeRa.Server.Errors;
using DeRa.Server.Options;

namespace DeRa.Server.Uploads;

/// <summary>
/// The bytes of request bodies that are held at once, from their arrival until they are encoded; over all clients and
/// both ports. One key gets at most half of them, or one whole body: its stalled uploads must not keep the others out.
/// Any thread.
/// </summary>
internal sealed class BodyBudget(ServerOptions options)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, long> _byKey = [];
    private readonly long _most = options.Body.PendingBodyBytes;
    private readonly long _mostOfKey = Math.Max(options.Body.PendingBodyBytes / 2, options.Body.MaxBodyBytes);
    private long _held;

    /// <summary>Bytes that are held.</summary>
    public long Held
    {
        get { lock (_gate) return _held; }
    }

    /// <summary>An empty share for a request; disposing it gives back what it holds.</summary>
    public Share For(HttpContext context) => new(this, context.Features.Get<ApiKey>()?.Name);

    private void Add(string? key, long bytes)
    {
        lock (_gate)
        {
            var ofKey = key is null ? 0 : _byKey.GetValueOrDefault(key) + bytes;
            if (bytes > 0 && (_held + bytes > _most || ofKey > _mostOfKey)) throw new BodiesFullException();
            _held += bytes;
            if (key is null) return;
            if (ofKey == 0) _byKey.Remove(key);
            else _byKey[key] = ofKey;
        }
    }

    /// <summary>What one request holds. One thread at a time.</summary>
    internal sealed class Share(BodyBudget budget, string? key) : IDisposable
    {
        private long _bytes;

        /// <summary>Holds so many bytes from now on, no longer what it held before.</summary>
        /// <exception cref="BodiesFullException">There is no room; it holds what it held.</exception>
        public void Hold(long bytes)
        {
            if (bytes == _bytes) return;
            budget.Add(key, bytes - _bytes);
            _bytes = bytes;
        }

        /// <inheritdoc/>
        public void Dispose() => Hold(0);
    }
}
