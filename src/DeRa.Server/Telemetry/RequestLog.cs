using DeRa.Hosting.Security;
using DeRa.Server.Options;

namespace DeRa.Server.Telemetry;

/// <summary>Logs each request when it is over, whether it was served, refused or cancelled.</summary>
internal sealed class RequestLog(ServerOptions options, ILogger<RequestLog> log)
{
    private static readonly EventId Event = new(30, "Request");

    /// <summary>Writes the line of a request.</summary>
    public void Write(HttpContext context, RequestTelemetry telemetry)
    {
        var level = telemetry.Error is null && context.GetEndpoint()?.Metadata.GetMetadata<Probe>() is not null
            ? LogLevel.Debug : LogLevel.Information;
        if (!options.Telemetry.LogRequests || !log.IsEnabled(level)) return;
        log.Log(level, Event, new RequestLine(context, telemetry), null, static (line, _) => line.ToString());
    }
}
