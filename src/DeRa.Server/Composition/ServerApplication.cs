using DeRa.Hosting.Connections;
using DeRa.Hosting.Listening;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Server.Grpc;
using DeRa.Server.Http;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
using DeRa.Server.Uploads;
using Microsoft.AspNetCore.Server.Kestrel.Core;

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
        builder.Services.AddConnections(
            options.Endpoint, options.Connection, TimeSpan.FromSeconds(options.Time.DrainSeconds) + PairLifetime.StopTime);
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

    private static void Listen(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.Listen(options.Endpoint, options.Connection, options.Body.MaxBodyBytes);
        // For responses in one piece; streams are timed flush by flush.
        kestrel.Limits.MinResponseDataRate = new MinDataRate(240, TimeSpan.FromSeconds(options.Time.SlowReaderSeconds));
    }
}
