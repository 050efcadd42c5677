using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Polly;
using Polly.Retry;

namespace DeRa.Serving.Rewards;

/// <summary>
/// Posts JSON to one address. Statuses 429 and 5xx and failed connections are tried again; a response has a limit of size and time.
/// </summary>
internal sealed partial class JsonPost : IDisposable
{
    /// <summary>Bytes of a response that are read at most.</summary>
    public const int MaxResponseBytes = 4 * 1024 * 1024;

    private const int Retries = 4;

    private readonly string _name;
    private readonly HttpClient _client;
    private readonly ResiliencePipeline<HttpResponseMessage> _attempts;

    /// <param name="name">The reward's, for errors.</param>
    /// <param name="address">An http or https address.</param>
    /// <param name="settings">How long to wait for a response and before a retry, and the bearer token.</param>
    public JsonPost(string name, Uri address, RewardSettings settings)
    {
        _name = name;
        _client = new HttpClient
        {
            BaseAddress = address,
            Timeout = settings.Timeout,
            MaxResponseContentBufferSize = MaxResponseBytes,
        };
        if (settings.ApiKey is { } key) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        _attempts = new ResiliencePipelineBuilder<HttpResponseMessage>().AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = Retries,
            Delay = settings.FirstRetryDelay,
            BackoffType = DelayBackoffType.Exponential,
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>(MayPass).HandleResult(MayPass),
        }).Build();
    }

    /// <summary>Posts a body and parses the response.</summary>
    /// <param name="body">What is sent.</param>
    /// <param name="retry">Whether failures that may pass are tried again.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>What came back; NaN and Infinity, which Python writes and JSON lacks, are null in it.</returns>
    /// <exception cref="PostException">Nothing usable came back.</exception>
    public async Task<JsonElement> SendAsync(object body, bool retry, CancellationToken cancellation)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(body);
        try
        {
            using var response = await (retry ? _attempts.ExecuteAsync(PostAsync, cancellation) : PostAsync(cancellation));
            var text = await response.Content.ReadAsStringAsync(cancellation);
            return response.IsSuccessStatusCode
                ? Parse(text)
                : throw Failure($"status {(int)response.StatusCode}: {Excerpt(text)}", hasResponded: true);
        }
        catch (HttpRequestException exception) when (exception.HttpRequestError == HttpRequestError.ConfigurationLimitExceeded)
        {
            throw Failure($"the response has more than {MaxResponseBytes} bytes", hasResponded: true, exception);
        }
        catch (HttpRequestException exception)
        {
            throw Failure($"{exception.Message} {exception.InnerException?.Message}".TrimEnd(), hasResponded: false, exception);
        }
        catch (TaskCanceledException exception) when (!cancellation.IsCancellationRequested)
        {
            throw Failure($"no answer within {_client.Timeout.TotalSeconds} s", hasResponded: false, exception);
        }

        // With a length, not in chunks: the simplest servers read no others.
        async ValueTask<HttpResponseMessage> PostAsync(CancellationToken token)
        {
            using var content = new ByteArrayContent(json) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            return await _client.PostAsync("", content, token);
        }
    }

    /// <summary>An error that names the reward.</summary>
    public PostException Failure(string what, bool hasResponded, Exception? inner = null) =>
        new($"reward {_name}: {what}", hasResponded, inner);

    /// <summary>The beginning of a response.</summary>
    public static string Excerpt(string text) => text.Length <= 200 ? text : text[..200] + "…";

    public void Dispose() => _client.Dispose();

    private static bool MayPass(HttpRequestException exception) =>
        exception.HttpRequestError != HttpRequestError.ConfigurationLimitExceeded;

    private static bool MayPass(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500;

    private JsonElement Parse(string text)
    {
        try
        {
            return JsonElement.Parse(BareNumber().Replace(text, found => found.Value[0] == '"' ? found.Value : "null"));
        }
        catch (JsonException exception)
        {
            throw Failure($"the response is not JSON: {Excerpt(text)}", hasResponded: true, exception);
        }
    }

    /// <summary>A string, which stays; or one of Python's numbers.</summary>
    [GeneratedRegex("""
        "(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b
        """, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex BareNumber();
}
