using System.Net;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Security;
using DeRa.Server.Grpc;
using DeRa.Server.Http;
using DeRa.Server.Options;
using DeRa.Server.Telemetry;
using DeRa.Server.Uploads;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace DeRa.Server.Composition;

/// <summary>The composition root: everything that the server consists of is put together here.</summary>
internal static class ServerApplication
{
    /// <summary>Puts the server together; nothing runs yet.</summary>
    /// <param name="asked">Checked options. Nothing else configures the server.</param>
    /// <param name="source">Gives the loader of the pair; its lines go where the server's go, in one order with them.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logging">Where logs go.</param>
    /// <exception cref="OptionException">A file that an option names cannot be used, or too few files may be open.</exception>
    public static WebApplication Build(
        ServerOptions asked, Func<ILoggerFactory, PairSource> source, TimeProvider time, Action<ILoggingBuilder> logging)
    {
        var files = DescriptorLimit.Current;
        var options = DescriptorLimit.Fit(asked, files);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "DeRa.Server" });
        logging(builder.Logging);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.AddSingleton(_ => new ConnectionPlaces(options.MaxConnections)).AddSingleton<SocketTransportFactory>()
            .AddSingleton<IConnectionListenerFactory, PausingListenerFactory>();
        builder.Services.AddRoutingCore().AddSingleton(options).AddSingleton(time).AddSingleton<ServingState>()
            .AddSingleton(services => source(services.GetRequiredService<ILoggerFactory>())).AddSingleton<ServerAddresses>()
            .AddSingleton<SlowReaders>().AddSingleton<BodyBudget>().AddSingleton<Encoders>()
            .AddHostedService<PairLifetime>().AddHttpDoor().AddGrpcDoor(options).AddLocks(options, time)
            .Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = new ListenSockets(options).Open)
            .Configure<HostOptions>(host =>
                host.ShutdownTimeout = TimeSpan.FromSeconds(options.DrainSeconds) + PairLifetime.StopTime + PausingListenerFactory.CloseTime);
        builder.AddTelemetry(options);
        var app = builder.Build();
        if (options.MaxConnections < asked.MaxConnections)
            ServerLog.ConnectionsCut(app.Logger, asked.MaxConnections, options.MaxConnections, files!.Value, DescriptorLimit.Reserved);
        app.UseMiddleware<RequestWatch>();
        app.UseMiddleware<HeadRequests>();
        app.UseMiddleware<RequestFence>();
        app.UseRouting();
        app.UseLocks(options);
        app.UseMiddleware<UploadLimits>();
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
        // A body has a time in all (UploadLimits), which slow clients cannot stretch.
        limits.MinRequestBodyDataRate = null;
        // For answers in one piece; streams are watched flush by flush.
        limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(options.SlowReaderSeconds));
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
