using System.Net;
using DeRa.Gateway.Errors;
using DeRa.Gateway.Replicas;
using DeRa.Gateway.Telemetry;
using Microsoft.AspNetCore.Http.Features;
using Yarp.ReverseProxy.Forwarder;

namespace DeRa.Gateway.Forwarding;

/// <summary>
/// One try of a request at a replica. What the replica refuses because it is busy, loading or stopping is not passed on while another one
/// may take it: that is decided at the response's head, before a byte has reached the client.
/// </summary>
/// <param name="routed">The request.</param>
/// <param name="replica">Where it is tried.</param>
/// <param name="isLast">Whether the response is passed on whatever it is.</param>
/// <param name="idle">Learns of what comes, and says when nothing has for too long.</param>
/// <param name="routes">Receives the id of a generation that is streamed.</param>
internal sealed class Attempt(
    RoutedRequest routed, Replica replica, bool isLast, IdleLimit idle, GenerationRoutes routes) : HttpTransformer
{
    /// <summary>Why the replica did not take it; null = it did.</summary>
    public string? Refusal { get; private set; }

    /// <summary>How the response ended early; null = it did not.</summary>
    public GatewayError? Failure { get; private set; }

    /// <summary>Whether the response has been passed on to its end.</summary>
    public bool IsComplete { get; private set; }

    /// <summary>The replica's status; null = it has not responded.</summary>
    public HttpStatusCode? Status { get; private set; }

    /// <summary>The id of the generation that is streamed; null = none is.</summary>
    public string? GenerationId { get; private set; }

    /// <inheritdoc/>
    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        // The gateway itself has told the client to go on.
        proxyRequest.Headers.ExpectContinue = null;
        // The replica's own name: it may refuse others.
        proxyRequest.Headers.Host = replica.Address.HostOf(routed.AddressOf(replica));
    }

    /// <inheritdoc/>
    public override async ValueTask<bool> TransformResponseAsync(
        HttpContext httpContext, HttpResponseMessage? proxyResponse, CancellationToken cancellationToken)
    {
        if (proxyResponse is null) return await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        Status = proxyResponse.StatusCode;
        if (!isLast && routed.RefusalIn(proxyResponse) is { } refusal && routed.Body?.MayReplay != false)
        {
            Refusal = refusal;
            return false;
        }
        idle.Begin();
        routed.Body?.Release();
        var facts = RequestFacts.Of(httpContext);
        facts.Begin();
        facts.Id = Value(proxyResponse, "x-request-id");
        if (Value(proxyResponse, GenerationRoutes.Header) is { } id) routes.Add(GenerationId = id, replica);
        var isPassedOn = await base.TransformResponseAsync(httpContext, proxyResponse, cancellationToken);
        var isEvents = proxyResponse.Content.Headers.ContentType?.MediaType == "text/event-stream";
        proxyResponse.Content = new ReplicaContent(proxyResponse.Content, idle, error =>
        {
            Failure = error;
            return isEvents ? LastEvent(error) : routed.IsGrpc ? [] : null;
        });
        return isPassedOn;
    }

    /// <inheritdoc/>
    public override ValueTask TransformResponseTrailersAsync(
        HttpContext httpContext, HttpResponseMessage proxyResponse, CancellationToken cancellationToken)
    {
        IsComplete = Failure is null;
        if (Failure is null) return base.TransformResponseTrailersAsync(httpContext, proxyResponse, cancellationToken);
        if (routed.IsGrpc && httpContext.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { IsReadOnly: false } trailers)
            Failure.WriteStatus(trailers);
        return default;
    }

    /// <summary>An event that had begun is ended first; an empty line more between events is nothing.</summary>
    private static byte[] LastEvent(GatewayError error) => [.. "\n\ndata: "u8, .. error.ToJson(), .. "\n\n"u8];

    private static string? Value(HttpResponseMessage response, string header) =>
        response.Headers.TryGetValues(header, out var values) ? values.FirstOrDefault() : null;
}
