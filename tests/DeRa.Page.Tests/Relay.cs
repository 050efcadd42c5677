using System.Net;
using System.Net.Sockets;

namespace DeRa.Page.Tests;

/// <summary>Passes connections on to a server and can cut them: a server seems to go away, and another to come in its place.</summary>
internal sealed class Relay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _accepting;
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _open = [];
    private Uri? _server;

    /// <summary>A relay to a server.</summary>
    public Relay(Uri server)
    {
        _server = server;
        _listener.Start();
        Address = new Uri($"http://localhost:{((IPEndPoint)_listener.LocalEndpoint).Port}/");
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Cuts all connections, and new ones until there is a server again.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            _server = null;
            foreach (var client in _open) client.Dispose();
            _open.Clear();
        }
    }

    /// <summary>There is a server again.</summary>
    public void Restore(Uri server)
    {
        lock (_gate) _server = server;
    }

    private async Task AcceptAsync()
    {
        var passing = new List<Task>();
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_ended.Token);
                lock (_gate)
                {
                    if (_server is null) client.Dispose();
                    else passing.Add(PassAsync(client, _server));
                }
            }
            catch (OperationCanceledException)
            {
                break;
            }
        }
        await Task.WhenAll(passing);
    }

    private async Task PassAsync(TcpClient client, Uri address)
    {
        var server = new TcpClient();
        lock (_gate) _open.AddRange([client, server]);
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, address.Port, _ended.Token);
            var (near, far) = (client.GetStream(), server.GetStream());
            await Task.WhenAny(near.CopyToAsync(far, _ended.Token), far.CopyToAsync(near, _ended.Token));
        }
        catch (Exception gone) when (gone is IOException or SocketException or ObjectDisposedException or OperationCanceledException
            or InvalidOperationException)
        {
            // One of both ends has closed it.
        }
        client.Dispose();
        server.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        Cut();
        await _accepting;
        _listener.Dispose();
        _ended.Dispose();
    }
}
