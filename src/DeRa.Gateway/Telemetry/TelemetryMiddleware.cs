using DeRa.Gateway.Options;
using DeRa.Hosting.Security;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Gateway.Telemetry;

/// <summary>Gives each request its facts, and logs it when all else is over.</summary>
internal sealed class TelemetryMiddleware(
    RequestDelegate next, GatewayOptions options, TimeProvider time, ILogger<TelemetryMiddleware> log)
{
    private static readonly EventId s_event = new(30, "Request");

    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var facts = new RequestFacts(time);
        context.Features.Set(facts);
        if (GenerationPath.IdOf(context.Request.Path) is not null)
            context.Features.Get<IHttpActivityFeature>()?.Activity?.SetTag("url.path", GenerationPath.Logged(context.Request));
        try
        {
            await next(context);
        }
        finally
        {
            Write(context, facts);
        }
    }

    private void Write(HttpContext context, RequestFacts facts)
    {
        var level = facts.Error is null && context.GetEndpoint()?.Metadata.GetMetadata<Probe>() is not null
            ? LogLevel.Debug : LogLevel.Information;
        if (!options.Telemetry.LogRequests || !log.IsEnabled(level)) return;
        log.Log(level, s_event, new AccessLine(context, facts), null, static (line, _) => line.ToString());
    }
}
