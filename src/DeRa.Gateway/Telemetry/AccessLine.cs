using DeRa.Hosting.Listening;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Gateway.Telemetry;

/// <summary>
/// What the log says of one request. Nothing of what was asked or generated is in it, nor of the query, in which some clients put their
/// key.
/// </summary>
internal sealed class AccessLine : RequestLogLine
{
    /// <summary>Reads it off a request that is over.</summary>
    public AccessLine(HttpContext context, RequestFacts facts)
    {
        Add("Method", "", PrintableText.Of(context.Request.Method, MaxTextLength));
        Add("Path", "", PrintableText.Of(GenerationPath.Logged(context.Request), MaxTextLength));
        Add("Status", "", Status(context));
        Add("GrpcStatus", "grpc=", context.Request.IsGrpc() ? GrpcStatus(context) : null);
        Add("Replica", "replica=", facts.Replica);
        Add("Attempts", "attempts=", facts.Attempts > 0 ? facts.Attempts : null);
        Add("FirstByteMs", "first_ms=", facts.FirstByte is { } first ? Milliseconds(first) : null);
        Add("DurationMs", "ms=", Milliseconds(facts.Elapsed));
        Add("Error", "error=", facts.Error);
        Add("Key", "key=", context.Features.Get<ApiKey>()?.Name);
        Add("RequestId", "id=", PrintableText.Of(facts.Id ?? context.TraceIdentifier, MaxTextLength));
    }

    private static int Status(HttpContext context) =>
        context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted ? ClientClosedRequest : context.Response.StatusCode;

    /// <summary>The number that the call ended with.</summary>
    private static string? GrpcStatus(HttpContext context)
    {
        const string name = "grpc-status";
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        return trailers?.TryGetValue(name, out var trailed) == true ? trailed.ToString()
            : context.Response.Headers.TryGetValue(name, out var own) ? own.ToString() : null;
    }
}
