using DeRa.Server.Errors;
using DeRa.Server.Telemetry;

namespace DeRa.Server.Http;

/// <summary>Records that a request over HTTP failed.</summary>
internal static class HttpFailure
{
    /// <summary>The error to respond with; telemetry counts it, and one that is the server's own fault is logged.</summary>
    public static HttpError Record(HttpContext context, Exception fault, ILogger log)
    {
        RequestTelemetry.Of(context).Failed(fault);
        var error = HttpError.For(fault, context.TraceIdentifier);
        if (error.Status == StatusCodes.Status500InternalServerError) ServerLog.RequestFailed(log, context.TraceIdentifier, fault);
        return error;
    }
}
