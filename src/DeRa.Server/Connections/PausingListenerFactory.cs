using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace DeRa.Server.Connections;

/// <summary>
/// Sockets as Kestrel has them, but where all places are taken nothing more is accepted until one is free. Kestrel's own
/// limit closes what is too many, which costs a descriptor each; and at the end of descriptors it would try again and
/// again without a pause.
/// </summary>
internal sealed class PausingListenerFactory(SocketTransportFactory sockets, ConnectionPlaces places) : IConnectionListenerFactory
{
    /// <inheritdoc/>
    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await sockets.BindAsync(endpoint, cancellationToken), places);

    private sealed class Listener(IConnectionListener listener, ConnectionPlaces places) : IConnectionListener
    {
        private readonly CancellationTokenSource _unbound = new();

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
                return new PlacedConnection(connection, places);
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
            await listener.UnbindAsync(cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await listener.DisposeAsync();
            _unbound.Dispose();
        }
    }
}
