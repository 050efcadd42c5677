using System.Net;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace DeRa.Hosting.Listening;

/// <summary>Where a server listens, how many connections it has, and how long each may take.</summary>
public static class ConnectionSetup
{
    /// <summary>Bounds the number of connections, and the time that the host has to stop.</summary>
    /// <param name="services">The server's services.</param>
    /// <param name="endpoint">Where it listens.</param>
    /// <param name="connection">Bounds.</param>
    /// <param name="stopTime">What the server needs to stop, beside its connections.</param>
    public static IServiceCollection AddConnections(
        this IServiceCollection services, EndpointOptions endpoint, ConnectionOptions connection, TimeSpan stopTime) => services
        .AddSingleton(_ => new ConnectionPlaces(connection.MaxConnections)).AddSingleton<SocketTransportFactory>()
        .AddSingleton<IConnectionListenerFactory, PausingListenerFactory>()
        .Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = new ListenSockets(endpoint).Open)
        .Configure<HostOptions>(host => host.ShutdownTimeout = stopTime + PausingListenerFactory.CloseTime);

    /// <summary>
    /// Listens on both ports, HTTP's first: the server's addresses are known by their order. Without TLS one port cannot tell HTTP/1.1 from
    /// HTTP/2, which gRPC needs; with TLS each speaks both, and the handshake settles which.
    /// </summary>
    /// <param name="kestrel">The server.</param>
    /// <param name="endpoint">Where it listens.</param>
    /// <param name="connection">Bounds.</param>
    /// <param name="maxBodyBytes">Bytes of a request's body at most.</param>
    public static void Listen(
        this KestrelServerOptions kestrel, EndpointOptions endpoint, ConnectionOptions connection, long maxBodyBytes)
    {
        kestrel.AddServerHeader = false;
        Bound(kestrel.Limits, connection);
        kestrel.Limits.MaxRequestBodySize = maxBodyBytes;
        kestrel.Listen(new IPEndPoint(endpoint.Address, endpoint.HttpPort), listen => Speak(listen, HttpProtocols.Http1));
        kestrel.Listen(new IPEndPoint(endpoint.Address, endpoint.GrpcPort), listen => Speak(listen, HttpProtocols.Http2));
    }

    private static void Bound(KestrelServerLimits limits, ConnectionOptions connection)
    {
        // A body has a time in all, which slow clients cannot stretch.
        limits.MinRequestBodyDataRate = null;
        limits.MaxRequestHeaderCount = connection.MaxHeaders;
        limits.MaxRequestHeadersTotalSize = connection.MaxHeaderBytes;
        limits.Http2.MaxRequestHeaderFieldSize = connection.MaxHeaderBytes;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(connection.HeaderSeconds);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(connection.KeepAliveSeconds);
    }

    private static void Speak(ListenOptions listen, HttpProtocols plain)
    {
        var certificate = listen.ApplicationServices.GetService<ServerCertificate>();
        listen.Protocols = certificate is null ? plain : HttpProtocols.Http1AndHttp2;
        if (certificate is null) return;
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Current) });
    }
}
