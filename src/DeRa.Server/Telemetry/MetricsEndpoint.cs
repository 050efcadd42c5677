using DeRa.Hosting.Telemetry;

namespace DeRa.Server.Telemetry;

/// <summary><c>GET /metrics</c>: all metrics in Prometheus' text format.</summary>
internal sealed class MetricsEndpoint(PrometheusReader reader)
{
    /// <summary>Responds to a scrape.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        await context.Response.WriteAsync(reader.Read(), context.RequestAborted);
    }
}
