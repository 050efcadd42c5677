using System.Collections;
using System.Globalization;
using System.Text;
using DeRa.Hosting.Security;
using DeRa.Hosting.Telemetry;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Gateway.Telemetry;

/// <summary>
/// What the log says of one request: a line of text for people, named fields for programs. A field that a request does not have is left
/// out. Nothing of what was asked or generated is in it, nor of the query, in which some clients put their key.
/// </summary>
internal sealed class AccessLine : IReadOnlyList<KeyValuePair<string, object?>>
{
    /// <summary>The status of a request whose client has gone before any response, as nginx counts it.</summary>
    private const int ClientClosedRequest = 499;

    private const int MaxTextLength = 200;
    private readonly List<KeyValuePair<string, object?>> _fields = new(12);
    private readonly StringBuilder _text = new(256);

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

    /// <inheritdoc/>
    public int Count => _fields.Count;

    /// <inheritdoc/>
    public KeyValuePair<string, object?> this[int index] => _fields[index];

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => _fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => _text.ToString();

    private void Add(string name, string label, object? value)
    {
        if (value is null) return;
        _fields.Add(new(name, value));
        if (_text.Length > 0) _text.Append(' ');
        _text.Append(CultureInfo.InvariantCulture, $"{label}{value}");
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);

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
