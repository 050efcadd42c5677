using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace DeRa.Hosting.Connections;

/// <summary>
/// Sockets as Kestrel has them, but where all places are taken nothing more is accepted until one is free. Kestrel's own
/// limit closes what is too many, which costs a descriptor each; and at the end of descriptors it would try again and
/// again without a pause. Once the server listens no more, what is still open has a short time to end: Kestrel itself
/// would wait for a client that goes on sending as long as the host lets it.
/// </summary>
public sealed class PausingListenerFactory(SocketTransportFactory sockets, ConnectionPlaces places) : IConnectionListenerFactory
{
    /// <summary>Time that connections have to end after the last request has: the last events go out in it.</summary>
    public static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await sockets.BindAsync(endpoint, cancellationToken), places);

    private sealed class Listener(IConnectionListener listener, ConnectionPlaces places) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbound = new();
        private readonly CancellationTokenSource _closed = new();

        public EndPoint EndPoint => listener.EndPoint;

        /// <summary>
        /// The place is taken after the connection came: a listener that waits for one holds no place that another could use.
        /// So each port may hold one connection beyond the limit, which waits.
        /// </summary>
        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            if (await listener.AcceptAsync(cancellationToken) is not { } connection) return null;
            try
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(_unbound.Token, cancellationToken);
                await places.TakeAsync(end.Token);
                return new PlacedConnection(connection, places, _closed.Token);
            }
            catch (OperationCanceledException)
            {
                await connection.DisposeAsync();
                return null;
            }
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            await _unbound.CancelAsync();
            _closed.CancelAfter(CloseTime);
            await listener.UnbindAsync(cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await listener.DisposeAsync();
            _unbound.Dispose();
            _closed.Dispose();
        }
    }
}
