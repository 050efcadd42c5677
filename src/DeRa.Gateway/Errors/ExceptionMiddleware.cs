using System.Globalization;
using System.Security.Cryptography;
using DeRa.Gateway.Telemetry;
using DeRa.Hosting.Listening;
using DeRa.Hosting.Security;

namespace DeRa.Gateway.Errors;

/// <summary>
/// Gives every request an id of the gateway's own, which the replica's replaces, and turns what goes wrong in the gateway into a response.
/// </summary>
internal sealed class ExceptionMiddleware(RequestDelegate next, ILogger<ExceptionMiddleware> log)
{
    private const int IdLength = 32;

    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        context.TraceIdentifier = RandomNumberGenerator.GetHexString(IdLength, lowercase: true);
        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there any more to respond to.
            RequestFacts.Of(context).Fail("ClientGone");
        }
        catch (Exception fault) when (!context.Response.HasStarted)
        {
            RequestFacts.Of(context).Fail(fault.GetType().Name);
            await RespondAsync(context, ErrorOf(fault, context.TraceIdentifier));
        }
    }

    private GatewayError ErrorOf(Exception fault, string requestId)
    {
        switch (fault)
        {
            case GatewayException own: return own.Error;
            case KeyRefusedException key: return GatewayError.NoKey(key.Message);
            case HostRefusedException host: return GatewayError.WrongHost(host.Message);
            case LimitExceededException limit: return GatewayError.RateLimited(limit.Message, limit.RetryAfterSeconds);
            case BadHttpRequestException bad: return GatewayError.BadRequest(bad.StatusCode, bad.Message);
            default:
                GatewayLog.RequestFailed(log, requestId, fault);
                return GatewayError.Fault(requestId);
        }
    }

    private static Task RespondAsync(HttpContext context, GatewayError error)
    {
        var response = context.Response;
        // The replica's own, where it had begun to respond: its log has it too.
        response.Headers["x-request-id"] = RequestFacts.Of(context).Id ?? context.TraceIdentifier;
        if (error.RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        if (context.Request.IsGrpc())
        {
            // Headers alone, which carry the status ("Trailers-Only").
            (response.StatusCode, response.ContentType) = (StatusCodes.Status200OK, GrpcRequests.MediaType);
            error.WriteStatus(response.Headers);
            return Task.CompletedTask;
        }
        (response.StatusCode, response.ContentType) = (error.Status, "application/json; charset=utf-8");
        return response.Body.WriteAsync(error.ToJson(), context.RequestAborted).AsTask();
    }
}
