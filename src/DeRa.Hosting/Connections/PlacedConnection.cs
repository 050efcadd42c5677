using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Hosting.Connections;

/// <summary>A connection that gives its place back once its socket is closed.</summary>
/// <param name="connection">The connection.</param>
/// <param name="places">Where its place is from.</param>
/// <param name="end">Ends it at once.</param>
internal sealed class PlacedConnection(ConnectionContext connection, ConnectionPlaces places, CancellationToken end) : ConnectionContext
{
    private readonly CancellationTokenRegistration _end = end.UnsafeRegister(
        static ended => ((ConnectionContext)ended!).Abort(new ConnectionAbortedException("The server has stopped.")), connection);

    private int _isFreed;

    /// <inheritdoc/>
    public override string ConnectionId
    {
        get => connection.ConnectionId;
        set => connection.ConnectionId = value;
    }

    /// <inheritdoc/>
    public override IFeatureCollection Features => connection.Features;

    /// <inheritdoc/>
    public override IDictionary<object, object?> Items
    {
        get => connection.Items;
        set => connection.Items = value;
    }

    /// <inheritdoc/>
    public override IDuplexPipe Transport
    {
        get => connection.Transport;
        set => connection.Transport = value;
    }

    /// <inheritdoc/>
    public override CancellationToken ConnectionClosed
    {
        get => connection.ConnectionClosed;
        set => connection.ConnectionClosed = value;
    }

    /// <inheritdoc/>
    public override EndPoint? LocalEndPoint
    {
        get => connection.LocalEndPoint;
        set => connection.LocalEndPoint = value;
    }

    /// <inheritdoc/>
    public override EndPoint? RemoteEndPoint
    {
        get => connection.RemoteEndPoint;
        set => connection.RemoteEndPoint = value;
    }

    /// <inheritdoc/>
    public override void Abort() => connection.Abort();

    /// <inheritdoc/>
    public override void Abort(ConnectionAbortedException abortReason) => connection.Abort(abortReason);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await _end.DisposeAsync();
        try
        {
            await connection.DisposeAsync();
            await base.DisposeAsync();
        }
        finally
        {
            if (Interlocked.Exchange(ref _isFreed, 1) == 0) places.Free();
        }
    }
}
