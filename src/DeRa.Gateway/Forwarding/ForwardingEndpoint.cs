using System.Diagnostics;
using System.Net;
using DeRa.Gateway.Errors;
using DeRa.Gateway.Options;
using DeRa.Gateway.Replicas;
using DeRa.Gateway.Telemetry;
using DeRa.Hosting.Security;
using Yarp.ReverseProxy.Forwarder;

namespace DeRa.Gateway.Forwarding;

/// <summary>Every path that is not the gateway's own: tries the request at one replica after the other until one takes it.</summary>
internal sealed class ForwardingEndpoint(
    RequestReader reader, ReplicaRouter router, ReplicaClient client, GenerationRoutes routes, IHttpForwarder forwarder,
    RequestLimiting limiting, GatewayOptions options, GatewayMetrics metrics, TimeProvider time, ILogger<ForwardingEndpoint> log)
{
    /// <summary>Serves one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        HopByHop.Remove(context.Request);
        var request = await reader.ReadAsync(context);
        await using var body = request.Body;
        if (body is not null) context.Request.Body = body;
        using var lease = IsCounted(context.Request, request) ? limiting.Enter(context) : null;
        var tried = new List<Replica>();
        while (true)
        {
            var replica = router.Next(request, tried) ?? throw new GatewayException(Nobody(request, tried));
            tried.Add(replica);
            var isLast = request.GenerationId is null && tried.Count >= options.Forwarding.MaxAttempts
                || !router.HasNext(request, tried);
            if (await TryAsync(context, request, replica, isLast, tried.Count) is not { } reason) return;
            if (isLast) throw new GatewayException(GatewayError.Unreachable);
            TriedAgain(context, replica, reason);
        }
    }

    /// <summary>As a replica counts: what generates or encodes.</summary>
    private static bool IsCounted(HttpRequest http, RoutedRequest request) =>
        HttpMethods.IsPost(http.Method) && request.GenerationId is null && (!request.IsGrpc || request.Key is not null);

    private static GatewayError Nobody(RoutedRequest request, List<Replica> tried) =>
        tried.Count > 0 ? GatewayError.Unreachable : request.IsGrpc ? GatewayError.NoGrpcReplica : GatewayError.NoReplica;

    /// <summary>Tries it at one. Returns why another one may be tried; null = the client has its response, or wants none.</summary>
    private async Task<string?> TryAsync(HttpContext context, RoutedRequest request, Replica replica, bool isLast, int attempts)
    {
        var facts = RequestFacts.Of(context);
        (facts.Replica, facts.Attempts) = (replica.Name, attempts);
        using var idle = new IdleLimit(options.Forwarding.IdleSeconds, time);
        var attempt = new Attempt(request, replica, isLast, idle, routes);
        request.Body?.Rewind(idle);
        replica.Begin();
        metrics.UnderWay(replica.Name, 1);
        try
        {
            var error = await SendAsync(context, request, replica, attempt, idle.OverBeforeHead);
            return attempt.Refusal ?? Conclude(context, request, replica, attempt, idle, error);
        }
        finally
        {
            replica.End();
            metrics.UnderWay(replica.Name, -1);
            if (attempt.GenerationId is { } id) routes.Remove(id);
        }
    }

    private ValueTask<ForwarderError> SendAsync(
        HttpContext context, RoutedRequest request, Replica replica, Attempt attempt, CancellationToken cancellation)
    {
        var config = request.IsGrpc ? client.OverGrpc : client.OverHttp;
        var address = request.AddressOf(replica).GetLeftPart(UriPartial.Authority);
        return forwarder.SendAsync(context, address, client.Http, config, attempt, cancellation);
    }

    private string? Conclude(
        HttpContext context, RoutedRequest request, Replica replica, Attempt attempt, IdleLimit idle, ForwarderError error)
    {
        if (request.Body?.Refusal is { } full && !context.Response.HasStarted)
        {
            Clear(context);
            throw new GatewayException(full);
        }
        // What becomes of the client's own stream after the end of the response is nobody's fault.
        if (attempt.IsComplete) error = ForwarderError.None;
        if (IsByClient(context, error))
        {
            RequestFacts.Of(context).Fail("ClientGone");
            metrics.Ended(replica.Name, "client_gone");
            return null;
        }
        if (attempt.Status is { } status)
        {
            End(context, replica, attempt.Failure ?? (error is ForwarderError.None ? null : GatewayError.BrokenOff), status);
            return null;
        }
        if (idle.IsOver)
        {
            metrics.Ended(replica.Name, "timeout");
            Clear(context);
            throw new GatewayException(idle.Error);
        }
        if (UnsendableBecause(context, error) is { } reason)
        {
            metrics.Ended(replica.Name, $"status_{StatusCodes.Status400BadRequest}");
            Clear(context);
            throw new GatewayException(GatewayError.Unsendable(reason));
        }
        var fault = context.GetForwarderErrorFeature()?.Exception?.GetBaseException();
        Eject(replica, isUnreachable: true, $"connection failed: {fault?.Message}");
        metrics.Ended(replica.Name, "unreachable");
        Clear(context);
        // A stream whose rest has been sent once cannot be sent again.
        return request.Body?.MayReplay == false ? throw new GatewayException(GatewayError.Unreachable) : "connection failed";
    }

    /// <summary>A response has begun and ended. One that failed, and of which nothing has gone out yet, can still say so.</summary>
    private void End(HttpContext context, Replica replica, GatewayError? failure, HttpStatusCode status)
    {
        var facts = RequestFacts.Of(context);
        if (failure is not null) facts.Fail("BrokenOff");
        if (failure is not null || IsFault(status))
            Eject(replica, isUnreachable: false, failure is null ? $"status {(int)status}" : "broken off");
        else replica.Succeed();
        metrics.Ended(replica.Name, failure switch
        {
            null => (int)status < StatusCodes.Status400BadRequest ? "ok" : $"status_{(int)status}",
            { Status: StatusCodes.Status504GatewayTimeout } => "timeout",
            _ => "broken",
        });
        if (facts.FirstByte is { } first) metrics.Began(first);
        if (failure is null || context.Response.HasStarted) return;
        Clear(context);
        throw new GatewayException(failure);
    }

    private void Eject(Replica replica, bool isUnreachable, string reason)
    {
        if (!replica.Fail(isUnreachable)) return;
        metrics.Ejected(replica.Name, isUnreachable ? "unreachable" : "failures");
        GatewayLog.ReplicaEjected(log, replica.Name, reason);
    }

    private void TriedAgain(HttpContext context, Replica replica, string reason)
    {
        metrics.TriedAgain(replica.Name, reason);
        GatewayLog.TriedAgain(log, context.TraceIdentifier, replica.Name, reason);
        Clear(context);
    }

    /// <summary>What a try has left on the response: the next one begins with nothing.</summary>
    private static void Clear(HttpContext context)
    {
        Debug.Assert(!context.Response.HasStarted, "a response that has begun is never tried again");
        context.Response.Clear();
    }

    /// <summary>
    /// What a client that leaves ends with; its body may end a moment before it counts as gone. A replica that breaks off aborts the
    /// request too, but ends otherwise.
    /// </summary>
    private static bool IsByClient(HttpContext context, ForwarderError error) =>
        error is ForwarderError.RequestBodyClient or ForwarderError.ResponseBodyClient
        || (context.RequestAborted.IsCancellationRequested && error is ForwarderError.RequestCanceled or ForwarderError.RequestBodyCanceled
            or ForwarderError.ResponseBodyCanceled);

    /// <summary>
    /// Why the request itself is at fault: nothing came from the network, and no replica may be ejected for it. Null = it is not.
    /// </summary>
    private static string? UnsendableBecause(HttpContext context, ForwarderError error)
    {
        var fault = context.GetForwarderErrorFeature()?.Exception;
        return error is ForwarderError.RequestCreation
            || (error is ForwarderError.Request
                && fault is HttpRequestException { HttpRequestError: HttpRequestError.Unknown, InnerException: null })
            ? fault?.Message : null;
    }

    private static bool IsFault(HttpStatusCode status) =>
        status is HttpStatusCode.InternalServerError or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;
}
