using System.Globalization;
using System.Text.Json;
using DeRa.Gateway.Replicas;
using DeRa.Hosting.Telemetry;

namespace DeRa.Gateway.Composition;

/// <summary>What is asked of the gateway itself: alive, ready, its metrics.</summary>
internal sealed class StateEndpoints(GatewayState state, ReplicaSet replicas, PrometheusReader reader)
{
    private const int RetryAfterSeconds = 5;

    /// <summary>200 for as long as it responds at all.</summary>
    public static Task LiveAsync(HttpContext context) => RespondAsync(context, true, json => json.WriteString("status"u8, "alive"));

    /// <summary>200 while a replica is ready; with what each of them is.</summary>
    public Task ReadyAsync(HttpContext context)
    {
        var all = replicas.All;
        var isReady = !state.IsDraining && all.Any(replica => replica.IsReady);
        return RespondAsync(context, isReady, json =>
        {
            json.WriteString("status"u8, state.IsDraining ? "draining" : isReady ? "ready" : "no replica is ready");
            json.WriteStartObject("replicas"u8);
            foreach (var replica in all) json.WriteString(replica.Name, replica.IsAvailable ? "ready" : replica.Reason ?? "not ready");
            json.WriteEndObject();
        });
    }

    /// <summary>All metrics in Prometheus' text format.</summary>
    public Task MetricsAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
        return context.Response.WriteAsync(reader.Read(), context.RequestAborted);
    }

    private static async Task RespondAsync(HttpContext context, bool isWell, Action<Utf8JsonWriter> write)
    {
        var response = context.Response;
        if (!isWell) response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        (response.StatusCode, response.ContentType) =
            (isWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, "application/json; charset=utf-8");
        await using (var json = new Utf8JsonWriter(response.BodyWriter))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        await response.BodyWriter.FlushAsync(context.RequestAborted);
    }
}
