using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;

namespace DeRa.Hub;

/// <summary>Says what an unsuccessful response means, and what to do.</summary>
/// <param name="options">The Hub that was asked, and as whom.</param>
/// <param name="time">The clock for waits until a date.</param>
internal sealed partial class HubRefusal(HubOptions options, TimeProvider time)
{
    private readonly Uri _endpoint = options.Endpoint;

    /// <summary>The exception for a response.</summary>
    /// <param name="name">The model that was asked for.</param>
    /// <param name="response">No success and no redirect.</param>
    /// <param name="isEndpoint">Whether the Hub itself responded, and not storage that it sent us on to.</param>
    public HubException Of(HubName name, HttpResponseMessage response, bool isEndpoint)
    {
        if (MayPass(response.StatusCode)) return Passing(name, response);
        if (!isEndpoint) return Storage(name, response);
        return new HubException((Header(response, "X-Error-Code"), response.StatusCode) switch
        {
            ("GatedRepo", _) => Gated(name),
            ("RevisionNotFound", _) => $"'{name.Repository}' has no revision '{name.Revision}' on {_endpoint.Host}.",
            ("EntryNotFound", _) => $"'{name}': {_endpoint.Host} lists {FileOf(response)}, but does not have it.",
            (_, HttpStatusCode.NotFound) => NotFound(name),
            (_, HttpStatusCode.Unauthorized) => Unauthorized(name),
            (_, HttpStatusCode.Forbidden) => Gated(name),
            var (_, status) => $"'{name}': {_endpoint.Host} answered {(int)status}{Reason(response)}.",
        });
    }

    private static bool MayPass(HttpStatusCode status) => status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || (int)status is 500 or 502 or 503 or 504;

    private HubException Passing(HubName name, HttpResponseMessage response)
    {
        var what = $"'{name}': {response.RequestMessage?.RequestUri?.Host} answered {(int)response.StatusCode}{Reason(response)}";
        var wait = AskedWait(response);
        return wait > HubRetries.LongestAsked
            ? new HubException($"{what} and asks to wait {wait.Value.TotalSeconds:0} s; that is longer than the "
                + $"{HubRetries.LongestAsked.TotalSeconds:0} s that are waited. Try again later.")
            : new HubException(what + ".") { MayPass = true, RetryAfter = wait };
    }

    /// <summary>Addresses in the Hub's storage are signed for a while; starting again from the Hub gives a new one.</summary>
    private static HubException Storage(HubName name, HttpResponseMessage response) =>
        new($"'{name}': {response.RequestMessage?.RequestUri?.Host} answered {(int)response.StatusCode}.") { MayPass = true };

    private string Gated(HubName name) =>
        $"'{name}' is gated or not open to {Account ?? "everyone"}: accept its terms at "
        + $"{PageOf(name)} and set HF_TOKEN to a token of that account that may read it.";

    private string NotFound(HubName name) => $"there is no folder '{name.Repository}' here, and no model of that name on {_endpoint.Host}"
        + (options.HasUser ? " that HF_ENDPOINT's user may see." : options.Token is not null ? " that your HF_TOKEN may see."
            : "; if it is private, set HF_TOKEN.");

    /// <summary>To those without a token the Hub responds with 401 also for names that do not exist.</summary>
    private string Unauthorized(HubName name) => options.HasUser
        ? $"'{name}': {_endpoint.Host} does not accept the user and password in HF_ENDPOINT"
            + (options.Token is null ? "." : "; HF_TOKEN is not sent beside them.")
        : options.Token is not null
        ? $"'{name}': {_endpoint.Host} does not accept the HF_TOKEN that is set, or the model does not exist."
        : NotFound(name) + $" If it is gated, accept its terms at {PageOf(name)} as well.";

    private string? Account => options.HasUser ? "HF_ENDPOINT's user" : options.Token is null ? null : "the account of your HF_TOKEN";

    private static string? FileOf(HttpResponseMessage response) => response.RequestMessage?.RequestUri?.Segments[^1];

    private string PageOf(HubName name) => $"{_endpoint.AbsoluteUri.TrimEnd('/')}/{name.Repository}";

    private TimeSpan? AskedWait(HttpResponseMessage response) => response.Headers.RetryAfter switch
    {
        { Delta: { } wait } => wait,
        { Date: { } date } when date - time.GetUtcNow() is var wait && wait > TimeSpan.Zero => wait,
        { Date: not null } => TimeSpan.Zero,
        _ => RateLimitWait(response),
    };

    /// <summary>The Hub says when its count begins anew: <c>RateLimit: "api";r=0;t=55</c>.</summary>
    private static TimeSpan? RateLimitWait(HttpResponseMessage response) =>
        Header(response, "RateLimit") is { } limit && UsedUp().Match(limit) is { Success: true } match
            ? TimeSpan.FromSeconds(int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) + 1)
            : null;

    private static string Reason(HttpResponseMessage response) =>
        Header(response, "X-Error-Message") is { } message ? $" ({message})" : "";

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out var values) ? values.First() : null;

    [GeneratedRegex(@";\s*r\s*=\s*0\s*;\s*t\s*=\s*(\d{1,6})\b")]
    private static partial Regex UsedUp();
}
