using DeRa.Server.Options;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Server.Telemetry;

/// <summary>Gives each request its telemetry, and closes and logs it when all else is over.</summary>
internal sealed class TelemetryMiddleware(
    RequestDelegate next, RequestMetrics metrics, RequestLog log, ServerOptions options, TimeProvider time)
{
    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        var span = context.Features.Get<IHttpActivityFeature>()?.Activity;
        var telemetry = new RequestTelemetry(metrics, span, options.Telemetry.CaptureContent, time);
        context.Features.Set(telemetry);
        if (LoggedPath.IsSecret(context.Request)) span?.SetTag("url.path", LoggedPath.Of(context.Request));
        try
        {
            await next(context);
        }
        finally
        {
            telemetry.End();
            log.Write(context, telemetry);
        }
    }
}
