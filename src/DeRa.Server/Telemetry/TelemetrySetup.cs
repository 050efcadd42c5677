using DeRa.Engine.Telemetry;
using DeRa.Hosting.Telemetry;
using DeRa.Server.Options;
using OpenTelemetry;
using OpenTelemetry.Metrics;

namespace DeRa.Server.Telemetry;

/// <summary>
/// Where telemetry goes: metrics always to <c>/metrics</c>, and all of it to a collector where OTEL_… variables name one.
/// </summary>
internal static class TelemetrySetup
{
    /// <summary>The source of the spans that ASP.NET Core makes for requests, by the trace context that they bring.</summary>
    public const string RequestSource = "Microsoft.AspNetCore";

    /// <summary>Sets telemetry up.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder, ServerOptions options)
    {
        builder.Services.AddSingleton<RequestMetrics>().AddSingleton<PrometheusReader>().AddSingleton<MetricsEndpoint>()
            .AddSingleton<RequestLog>();
        var telemetry = builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter(EngineTelemetry.Name)
            .AddReader(services => services.GetRequiredService<PrometheusReader>().Reader));
        if (!Exports(options)) return;
        builder.Configuration.AddInMemoryCollection(options.Telemetry.OpenTelemetry);
        telemetry.WithTracing(traces => traces.AddSource(RequestSource, EngineTelemetry.Name)).UseOtlpExporter();
    }

    /// <summary>Whether any of the variables names an endpoint: OTEL_EXPORTER_OTLP_ENDPOINT or one of those for a single signal.</summary>
    public static bool Exports(ServerOptions options) => options.Telemetry.OpenTelemetry.Any(variable =>
        variable.Key.StartsWith("OTEL_EXPORTER_OTLP_", StringComparison.Ordinal)
        && variable.Key.EndsWith("ENDPOINT", StringComparison.Ordinal) && variable.Value?.Length > 0);
}
