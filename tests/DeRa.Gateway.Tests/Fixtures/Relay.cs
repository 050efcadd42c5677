using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>
/// A port that passes bytes on to another one, and can die as a machine does: its connections are reset and new ones refused. It may come
/// back later on the same port, before another server.
/// </summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly ConcurrentDictionary<Socket, bool> _sockets = [];
    private readonly ConcurrentBag<Task> _tasks = [];
    private TcpListener? _listener;
    private int _target;

    public Relay(int target) => Start(target);

    /// <summary>Where it listens.</summary>
    public int Port { get; private set; }

    /// <summary>Listens, on the port that it had before.</summary>
    public void Start(int target)
    {
        _target = target;
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _tasks.Add(AcceptAsync(_listener));
    }

    /// <summary>Resets all connections and refuses new ones.</summary>
    public void Kill()
    {
        _listener?.Dispose();
        _listener = null;
        foreach (var socket in _sockets.Keys) Reset(socket);
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await Task.WhenAll(_tasks);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true) _tasks.Add(PassAsync(await listener.AcceptSocketAsync(), _target));
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Killed.
        }
    }

    private async Task PassAsync(Socket client, int target)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        client.NoDelay = true;
        _sockets[client] = _sockets[server] = true;
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, target);
            if (_listener is null) throw new SocketException();
            await Task.WhenAll(CopyAsync(client, server), CopyAsync(server, client));
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            Reset(server);
            Reset(client);
        }
        _sockets.TryRemove(client, out _);
        _sockets.TryRemove(server, out _);
        client.Dispose();
    }

    private static async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer) is var read and > 0)
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            Reset(from);
            Reset(to);
        }
    }

    private static void Reset(Socket socket)
    {
        try
        {
            socket.LingerState = new LingerOption(true, 0);
            socket.Dispose();
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // It was closed already.
        }
    }
}
