using System.Globalization;
using DeRa.Server.Grpc;
using DeRa.Server.Http.Wire;
using DeRa.Server.Telemetry;

namespace DeRa.Server.Http;

/// <summary>
/// The outermost part of every request: gives it an id of the server's own, turns whatever goes wrong into an error with a
/// body, and logs what is the server's fault.
/// </summary>
internal sealed class RequestFence(RequestDelegate next, ILogger<RequestFence> log)
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
            if (LacksBody(context)) await AnswerAsync(context, BareStatus(context));
        }
        catch (OperationCanceledException gone) when (
            context.RequestAborted.IsCancellationRequested || gone is ReaderTooSlowException or ClientGoneException)
        {
            // Nobody is there any more to be told.
            RequestTelemetry.Of(context).Failed(gone is ReaderTooSlowException ? gone : new ClientGoneException());
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            var error = Explain(context, fault, log);
            if (GrpcRefusal.IsCall(context.Request)) GrpcRefusal.Answer(context.Response, GrpcErrors.For(fault, context.TraceIdentifier));
            else await AnswerAsync(context, error);
        }
    }

    /// <summary>The error to answer with; one that is the server's own fault is logged.</summary>
    public static WireError Explain(HttpContext context, Exception fault, ILogger log)
    {
        RequestTelemetry.Of(context).Failed(fault);
        var error = WireError.For(fault, context.TraceIdentifier);
        if (error.Status == StatusCodes.Status500InternalServerError) ServerLog.RequestFailed(log, context.TraceIdentifier, fault);
        return error;
    }

    private static Task AnswerAsync(HttpContext context, WireError error)
    {
        var headers = context.Response.Headers;
        if (error.RetryAfterSeconds is { } seconds) headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (!error.MayRetry) headers["x-should-retry"] = "false";
        return WireJson.RespondAsync(context.Response, error.Status, error.Write);
    }

    /// <summary>Routing answers unknown paths and wrong methods with a status alone. gRPC has its own way of saying so.</summary>
    private static bool LacksBody(HttpContext context) => !context.Response.HasStarted
        && context.Response.StatusCode >= StatusCodes.Status400BadRequest && context.Response.ContentType is null
        && !GrpcRefusal.IsCall(context.Request);

    private static WireError BareStatus(HttpContext context)
    {
        // No path is "OPTIONS *", the server as a whole.
        var (method, path) = (context.Request.Method, context.Request.Path.HasValue ? context.Request.Path.Value : "*");
        var message = context.Response.StatusCode switch
        {
            StatusCodes.Status404NotFound => $"There is nothing at {path}.",
            StatusCodes.Status405MethodNotAllowed => $"{path} does not take {method}; it takes {context.Response.Headers.Allow}.",
            _ => $"{method} {path} cannot be answered.",
        };
        return WireError.Invalid(context.Response.StatusCode, message);
    }
}
