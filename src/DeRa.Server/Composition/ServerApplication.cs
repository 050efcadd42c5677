using System.Net;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Server.Grpc;
using DeRa.Server.Http;
using DeRa.Server.Options;
using DeRa.Server.State;
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
        var options = asked with { Connection = DescriptorLimit.Fit(asked.Connection, files) };
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "DeRa.Server" });
        logging(builder.Logging);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => Listen(kestrel, options));
        AddConnections(builder.Services, options);
        builder.Services.AddRoutingCore().AddSingleton(options).AddSingleton(options.Endpoint).AddSingleton(time)
            .AddSingleton<ServingState>().AddSingleton(services => source(services.GetRequiredService<ILoggerFactory>()))
            .AddSingleton<ServerAddresses>().AddSingleton<SlowReaders>().AddSingleton<BodyBudget>().AddSingleton<Encoders>()
            .AddHostedService<PairLifetime>().AddHttpEndpoints().AddGrpcEndpoints(options)
            .AddSecurity(options.Key, options.Tls, options.Origin, time);
        builder.AddTelemetry(options);
        var app = builder.Build();
        if (options.Connection.MaxConnections < asked.Connection.MaxConnections)
            ServerLog.ConnectionsLimited(app.Logger, asked.Connection.MaxConnections, options.Connection.MaxConnections,
                files!.Value, DescriptorLimit.Reserved);
        app.UseMiddleware<TelemetryMiddleware>();
        app.UseMiddleware<HeadRequests>();
        app.UseMiddleware<ExceptionMiddleware>();
        app.UseRouting();
        app.UseSecurity(options.Origin, options.Endpoint);
        app.UseMiddleware<ClientMiddleware>();
        app.UseMiddleware<UploadLimits>();
        app.MapHttpEndpoints();
        app.MapGrpcEndpoints();
        return app;
    }

    private static void AddConnections(IServiceCollection services, ServerOptions options) => services
        .AddSingleton(_ => new ConnectionPlaces(options.Connection.MaxConnections)).AddSingleton<SocketTransportFactory>()
        .AddSingleton<IConnectionListenerFactory, PausingListenerFactory>()
        .Configure<SocketTransportOptions>(sockets => sockets.CreateBoundListenSocket = new ListenSockets(options.Endpoint).Open)
        .Configure<HostOptions>(host => host.ShutdownTimeout =
            TimeSpan.FromSeconds(options.Time.DrainSeconds) + PairLifetime.StopTime + PausingListenerFactory.CloseTime);

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        Bound(kestrel.Limits, options);
        var address = options.Endpoint.Address;
        // HTTP's first: ServerAddresses knows them by their order. Without TLS one port cannot tell HTTP/1.1 from HTTP/2, which gRPC needs.
        kestrel.Listen(new IPEndPoint(address, options.Endpoint.HttpPort), listen => Speak(listen, HttpProtocols.Http1));
        kestrel.Listen(new IPEndPoint(address, options.Endpoint.GrpcPort), listen => Speak(listen, HttpProtocols.Http2));
    }

    private static void Bound(KestrelServerLimits limits, ServerOptions options)
    {
        limits.MaxRequestBodySize = options.Body.MaxBodyBytes;
        // A body has a time in all (UploadLimits), which slow clients cannot stretch.
        limits.MinRequestBodyDataRate = null;
        // For responses in one piece; streams are timed flush by flush.
        limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(options.Time.SlowReaderSeconds));
        limits.MaxRequestHeaderCount = options.Connection.MaxHeaders;
        limits.MaxRequestHeadersTotalSize = options.Connection.MaxHeaderBytes;
        limits.Http2.MaxRequestHeaderFieldSize = options.Connection.MaxHeaderBytes;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(options.Connection.HeaderSeconds);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(options.Connection.KeepAliveSeconds);
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
