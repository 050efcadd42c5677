using System.Net;
using DeRa.Server.Grpc;
using DeRa.Server.Http;
using DeRa.Server.Locks;
using DeRa.Server.Options;
using DeRa.Server.Telemetry;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace DeRa.Server.Composition;

/// <summary>The composition root: everything that the server consists of is put together here.</summary>
internal static class ServerApplication
{
    /// <summary>Time that closing the doors may take after the engine has stopped: the last events go out in it.</summary>
    private static readonly TimeSpan CloseTime = TimeSpan.FromSeconds(5);

    /// <summary>Puts the server together; nothing runs yet.</summary>
    /// <param name="options">Checked options. Nothing else configures the server.</param>
    /// <param name="source">Gives the loader of the pair; its lines go where the server's go, in one order with them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logging">Where logs go.</param>
    public static WebApplication Build(
        ServerOptions options, Func<ILoggerFactory, PairSource> source, TimeProvider time, Action<ILoggingBuilder> logging)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "DeRa.Server" });
        logging(builder.Logging);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddRoutingCore().AddSingleton(options).AddSingleton(time).AddSingleton<ServingState>()
            .AddSingleton(services => source(services.GetRequiredService<ILoggerFactory>())).AddSingleton<SlowReaders>().AddSingleton<ServerAddresses>()
            .AddHostedService<PairLifetime>().AddHttpDoor().AddGrpcDoor(options).AddLocks(options)
            .Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = new ListenSockets(options).Open)
            .Configure<HostOptions>(host =>
                host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds) + PairLifetime.StopTime + CloseTime);
        builder.AddTelemetry(options);
        var app = builder.Build();
        app.UseMiddleware<RequestWatch>();
        app.UseMiddleware<HeadRequests>();
        app.UseMiddleware<RequestFence>();
        app.UseRouting();
        app.UseLocks(options);
        app.MapHttpDoor();
        app.MapGrpcDoor();
        return app;
    }

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        Bound(kestrel.Limits, options);
        var address = OptionReader.Address(options.Host);
        // HTTP's first: ServerAddresses knows them by their order. Without TLS one port cannot tell HTTP/1.1 from HTTP/2, which gRPC needs.
        kestrel.Listen(new IPEndPoint(address, options.HttpPort), listen => Speak(listen, HttpProtocols.Http1));
        kestrel.Listen(new IPEndPoint(address, options.GrpcPort), listen => Speak(listen, HttpProtocols.Http2));
    }

    private static void Bound(KestrelServerLimits limits, ServerOptions options)
    {
        limits.MaxRequestBodySize = options.MaxBodyBytes;
        // For answers in one piece; streams are watched flush by flush.
        limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(options.SlowReaderSeconds));
        limits.MaxConcurrentConnections = options.MaxConnections;
        limits.MaxRequestHeaderCount = options.MaxHeaders;
        limits.MaxRequestHeadersTotalSize = options.MaxHeaderBytes;
        limits.Http2.MaxRequestHeaderFieldSize = options.MaxHeaderBytes;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(options.HeaderSeconds);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(options.KeepAliveSeconds);
    }

    /// <summary>With TLS each port speaks both versions: the handshake settles which.</summary>
    private static void Speak(ListenOptions listen, HttpProtocols plain)
    {
        var certificate = listen.ApplicationServices.GetService<ServerCertificate>();
        listen.Protocols = certificate is null ? plain : HttpProtocols.Http1AndHttp2;
        if (certificate is null) return;
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(certificate.Current) });
    }
}
