using DeRa.Gateway.Balancing;
using DeRa.Gateway.Errors;
using DeRa.Gateway.Forwarding;
using DeRa.Gateway.Options;
using DeRa.Gateway.Replicas;
using DeRa.Gateway.Telemetry;
using DeRa.Hosting.Connections;
using DeRa.Hosting.Listening;
using DeRa.Hosting.Options;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using Microsoft.Extensions.DependencyInjection.Extensions;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace DeRa.Gateway.Composition;

/// <summary>The composition root: everything that the gateway consists of is put together here.</summary>
public static class GatewayApplication
{
    private static readonly string[] s_reads = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] s_spans = ["Microsoft.AspNetCore", "System.Net.Http"];

    /// <summary>Puts the gateway together; nothing runs yet.</summary>
    /// <param name="asked">Checked options. Nothing else configures the gateway.</param>
    /// <param name="time">The clock.</param>
    /// <param name="logging">Where logs go.</param>
    /// <param name="services">Replaces parts, for tests; null = none.</param>
    /// <exception cref="OptionException">An address is none, a file cannot be used, or too few files may be open.</exception>
    public static WebApplication Build(
        GatewayOptions asked, TimeProvider time, Action<ILoggingBuilder> logging, Action<IServiceCollection>? services = null)
    {
        var options = asked with { Connection = DescriptorLimit.Fit(asked.Connection, DescriptorLimit.Current) };
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "DeRa.Gateway" });
        logging(builder.Logging);
        // It logs each address with its path, and a path may hold an id that gives a right. What fails is in lines of ours.
        builder.Logging.AddFilter("Yarp", LogLevel.None);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(
            kestrel => kestrel.Listen(options.Endpoint, options.Connection, options.Forwarding.MaxBodyBytes));
        builder.Services.AddConnections(options.Endpoint, options.Connection, TimeSpan.FromSeconds(options.Forwarding.DrainSeconds));
        AddParts(builder.Services.AddRoutingCore().AddSingleton(time), options);
        builder.Services.AddSecurity(options.Key, options.Tls, options.Origin, time);
        AddReplicas(builder.Services, options);
        AddTelemetry(builder, options);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseMiddleware<TelemetryMiddleware>();
        app.UseMiddleware<HeadRequests>();
        app.UseMiddleware<ExceptionMiddleware>();
        app.UseRouting();
        app.UseSecurity(options.Origin, options.Endpoint);
        Map(app);
        return app;
    }

    private static void AddParts(IServiceCollection services, GatewayOptions options) => services
        .AddSingleton(options).AddSingleton(options.Endpoint).AddSingleton(options.Health).AddSingleton(options.Replica)
        .AddSingleton(options.Forwarding).AddSingleton<GatewayState>().AddSingleton<GenerationRoutes>()
        .AddSingleton(_ => new BodyBudget(options.Forwarding.PendingBodyBytes)).AddSingleton<RequestReader>()
        .AddSingleton(_ => Policies.Create(options.Balancing.Policy, (ulong)Random.Shared.NextInt64(), options.Balancing.LoadBound))
        .AddSingleton<ReplicaRouter>().AddSingleton<ReplicaClient>().AddSingleton<ForwardingEndpoint>().AddSingleton<StateEndpoints>()
        .AddHostedService<GatewayLifetime>().AddHttpForwarder();

    /// <summary>The file is read with the others that change, and for the first time when the set is made.</summary>
    private static void AddReplicas(IServiceCollection services, GatewayOptions options)
    {
        var addresses = Checked(() => ReplicaAddress.ParseList(options.Replica.Replicas, "--replicas").ToList());
        Checked(() => options.Replica.ReplicaDns.Select(text => ReplicaAddress.Parse(text, "--replica-dns")).ToList());
        services.AddSingleton(provider =>
        {
            var set = ActivatorUtilities.CreateInstance<ReplicaSet>(provider);
            set.Set("options", addresses);
            return set;
        });
        if (options.Replica.ReplicaFile is { } file)
            services.AddSingleton(provider => ReplicaFile.Open(file, provider.GetRequiredService<ReplicaSet>()));
        var trust = new ReplicaTrust(options.Replica);
        services.AddSingleton(trust);
        if (trust.File is { } authorities) services.AddSingleton(authorities);
        services.TryAddSingleton<INameLookup, SystemNames>();
        services.AddHostedService<DnsDiscovery>().AddHostedService<HealthChecks>();
    }

    private static T Checked<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (FormatException wrong)
        {
            throw new OptionException(wrong.Message);
        }
    }

    private static void AddTelemetry(WebApplicationBuilder builder, GatewayOptions options)
    {
        builder.Services.AddSingleton<PrometheusReader>().AddSingleton(provider =>
        {
            var metrics = new GatewayMetrics();
            metrics.ObserveReplicas(() => Counts(provider.GetRequiredService<ReplicaSet>()));
            return metrics;
        });
        var telemetry = builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter(GatewayMetrics.Name)
            .AddReader(services => services.GetRequiredService<PrometheusReader>().Reader));
        if (!options.Telemetry.Exports) return;
        builder.Configuration.AddInMemoryCollection(options.Telemetry.OpenTelemetry);
        telemetry.WithTracing(traces => traces.AddSource(s_spans)).UseOtlpExporter();
    }

    private static IEnumerable<(string State, int Count)> Counts(ReplicaSet set)
    {
        var all = set.All;
        var (ready, available) = (all.Count(replica => replica.IsReady), all.Count(replica => replica.IsAvailable));
        return [("available", available), ("ejected", ready - available), ("unready", all.Count - ready)];
    }

    private static void Map(WebApplication app)
    {
        var services = app.Services;
        // Made now: what is wrong with the file of replicas shows before the ports open.
        services.GetServices<ReloadedFiles>();
        var state = services.GetRequiredService<StateEndpoints>();
        foreach (var path in (string[])["/readyz", "/health"])
            app.MapMethods(path, s_reads, state.ReadyAsync).AllowAnonymous().WithMetadata(Probe.Health);
        app.MapMethods("/livez", s_reads, StateEndpoints.LiveAsync).AllowAnonymous().WithMetadata(Probe.Health);
        app.MapMethods("/metrics", s_reads, state.MetricsAsync).WithMetadata(Probe.Scrape);
        var (gate, endpoint) = (services.GetRequiredService<GatewayState>(), services.GetRequiredService<ForwardingEndpoint>());
        app.MapFallback("{**path}", async context =>
        {
            gate.Enter();
            try
            {
                await endpoint.HandleAsync(context);
            }
            finally
            {
                gate.Exit();
            }
        });
    }
}
