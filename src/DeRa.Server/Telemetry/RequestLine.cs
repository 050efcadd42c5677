using System.Globalization;
using DeRa.Hosting.Listening;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using DeRa.Server.Responses;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Server.Telemetry;

/// <summary>
/// What the log says of one request. Nothing of what was asked or generated is in it, nor of the query, in which some clients put their
/// key.
/// </summary>
internal sealed class RequestLine : RequestLogLine
{
    /// <summary>Reads it off a request that is over.</summary>
    public RequestLine(HttpContext context, RequestTelemetry telemetry)
    {
        Add("Method", "", PrintableText.Of(context.Request.Method, MaxTextLength));
        Add("Path", "", PrintableText.Of(LoggedPath.Of(context.Request), MaxTextLength));
        Add("Status", "", Status(context, telemetry.Error is not null));
        Add("GrpcStatus", "grpc=", context.Request.IsGrpc() ? GrpcStatus(context) : null);
        AddGeneration(telemetry);
        AddScores(telemetry);
        Add("DurationMs", "ms=", Milliseconds(telemetry.Elapsed));
        Add("Error", "error=", telemetry.Error);
        Add("Key", "key=", context.Features.Get<ApiKey>()?.Name);
        Add("RequestId", "id=", context.TraceIdentifier);
    }

    private void AddGeneration(RequestTelemetry telemetry)
    {
        if (telemetry.Request is not { } request) return;
        Add("Model", "model=", PrintableText.Of(request.Model, MaxTextLength));
        var strengths = new EffectiveStrengths(request.Strengths, telemetry.Aligned);
        if (request.Sweep is { } sweep)
            Add("Sweep", "sweep=",
                string.Join(',', sweep.Select(strength => strength.ToString(CultureInfo.InvariantCulture))));
        else if (request.Schedule is { } schedule) Add("Schedule", "schedule=", ScheduleText.Of(schedule));
        else if (strengths.ByName is { } named)
            Add("Strengths", "strengths=",
                string.Join(',', named.Select(own => string.Create(CultureInfo.InvariantCulture, $"{own.Name}:{own.Strength}"))));
        else Add("Strength", "strength=", strengths.Single);
        Add("InputTokens", "in=", request.PromptTokens);
        Add("OutputTokens", "out=", telemetry.OutputTokens);
        Add("CachedTokens", "cached=", telemetry.CachedTokens);
        Add("FirstTokenMs", "first_ms=", telemetry.FirstToken is { } first ? Milliseconds(first) : null);
    }

    private void AddScores(RequestTelemetry telemetry)
    {
        if (telemetry.Scores is not { } scores) return;
        Add("Model", "model=", PrintableText.Of(scores.Model, MaxTextLength));
        Add("Items", "items=", scores.Items.Count);
        Add("StrengthCount", "strength_count=", scores.Strengths.Count);
        Add("InputTokens", "in=", scores.TokenCount);
        Add("ScoredTokens", "scored=", scores.ScoredTokenCount);
        Add("CachedTokens", "cached=", telemetry.CachedTokens);
    }

    private static int Status(HttpContext context, bool hasFailed)
    {
        var (response, isCall) = (context.Response, context.Request.IsGrpc());
        // Whoever is still there gets a fault with a status of its own.
        var hasNoResponse = context.RequestAborted.IsCancellationRequested
            || (hasFailed && response.StatusCode < StatusCodes.Status400BadRequest && !isCall);
        return hasNoResponse && !response.HasStarted ? ClientClosedRequest : response.StatusCode;
    }

    /// <summary>The status that the call ended with; one that its client left is cancelled.</summary>
    private static string? GrpcStatus(HttpContext context)
    {
        const string name = "grpc-status";
        var trailers = context.Features.Get<IHttpResponseTrailersFeature>()?.Trailers;
        var text = trailers?.TryGetValue(name, out var trailed) == true ? trailed : context.Response.Headers[name];
        if (int.TryParse(text, out var status)) return ((StatusCode)status).ToString();
        return context.RequestAborted.IsCancellationRequested ? nameof(StatusCode.Cancelled) : null;
    }
}
