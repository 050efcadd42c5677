using System.Collections;
using System.Globalization;
using System.Text;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using DeRa.Server.Responses;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Server.Telemetry;

/// <summary>
/// What the log says of one request: a line of text for people, named fields for programs. A field that a request does not have is
/// left out. Nothing of what was asked or generated is in it, nor of the query, in which some clients put their key.
/// </summary>
internal sealed class RequestLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <summary>The status of a request whose client has gone before any response, as nginx counts it.</summary>
    private const int ClientClosedRequest = 499;

    private const int MaxTextLength = 200;
    private readonly List<KeyValuePair<string, object?>> _fields = new(16);
    private readonly StringBuilder _text = new(256);

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

    /// <inheritdoc/>
    public int Count => _fields.Count;

    /// <inheritdoc/>
    public KeyValuePair<string, object?> this[int index] => _fields[index];

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

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

    private void Add(string name, string label, object? value)
    {
        if (value is null) return;
        _fields.Add(new(name, value));
        if (_text.Length > 0) _text.Append(' ');
        _text.Append(CultureInfo.InvariantCulture, $"{label}{value}");
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);

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
