using System.Globalization;
using DeRa.Hosting.Listening;
using DeRa.Server.Errors;
using DeRa.Server.Grpc;
using DeRa.Server.Http;
using DeRa.Server.Http.Wire;
using DeRa.Server.Telemetry;

namespace DeRa.Server.Composition;

/// <summary>
/// Gives every request an id of the server's own, and turns whatever goes wrong with it, over HTTP or gRPC, into an error response.
/// What is the server's own fault is logged.
/// </summary>
internal sealed class ExceptionMiddleware(RequestDelegate next, ILogger<ExceptionMiddleware> log)
{
    /// <summary>The header that carries the request's id.</summary>
    public const string RequestIdHeader = "x-request-id";

    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        context.TraceIdentifier = RequestIds.New();
        context.Response.Headers[RequestIdHeader] = context.TraceIdentifier;
        try
        {
            await next(context);
            if (LacksBody(context)) await RespondAsync(context, HttpError.For(BareStatus(context), context.TraceIdentifier));
        }
        catch (OperationCanceledException gone) when (
            context.RequestAborted.IsCancellationRequested || gone is ReaderTooSlowException or ClientGoneException)
        {
            // Nobody is there any more to respond to.
            RequestTelemetry.Of(context).Failed(gone is ReaderTooSlowException ? gone : new ClientGoneException());
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            var error = HttpFailure.Record(context, fault, log);
            if (context.Request.IsGrpc()) TrailersOnlyResponse.Set(context.Response, GrpcError.For(fault, context.TraceIdentifier));
            else await RespondAsync(context, error);
        }
    }

    private static Task RespondAsync(HttpContext context, HttpError error)
    {
        var headers = context.Response.Headers;
        if (error.RetryAfterSeconds is { } seconds) headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (!error.MayRetry) headers["x-should-retry"] = "false";
        return WireJson.RespondAsync(context.Response, error.Status, error.Write);
    }

    /// <summary>Routing sets a status alone for unknown paths and wrong methods. gRPC has its own way of reporting them.</summary>
    private static bool LacksBody(HttpContext context) => !context.Response.HasStarted
        && context.Response.StatusCode >= StatusCodes.Status400BadRequest && context.Response.ContentType is null
        && !context.Request.IsGrpc();

    private static HttpRefusal BareStatus(HttpContext context)
    {
        // No path is "OPTIONS *", the server as a whole.
        var (method, path) = (context.Request.Method, context.Request.Path.HasValue ? context.Request.Path.Value : "*");
        return new HttpRefusal(context.Response.StatusCode, context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"There is nothing at {path}.",
            StatusCodes.Status405MethodNotAllowed => $"{path} does not support {method}; it supports {context.Response.Headers.Allow}.",
            _ => $"{method} {path} cannot be served.",
        });
    }
}
