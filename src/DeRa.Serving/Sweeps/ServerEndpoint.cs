using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Serving.Requests;
using DeRa.Serving.Rewards;
using Polly;
using Polly.Retry;

namespace DeRa.Serving.Sweeps;

/// <summary>A server of ours. Statuses 429 and 5xx and failed connections are tried again.</summary>
public sealed class ServerEndpoint : ISweepEndpoint, IDisposable
{
    private const int Retries = 5;

    private readonly SweepSettings _settings;
    private readonly HttpClient _client;
    private readonly ResiliencePipeline<HttpResponseMessage> _attempts;

    /// <param name="server">Its address, with or without <c>/v1</c>.</param>
    /// <param name="apiKey">Sent as a bearer token; null = none.</param>
    /// <param name="settings">What is generated.</param>
    /// <param name="firstRetryDelay">How long the first retry waits; each next waits twice as long.</param>
    public ServerEndpoint(Uri server, string? apiKey, SweepSettings settings, TimeSpan firstRetryDelay)
    {
        _settings = settings;
        var path = server.GetLeftPart(UriPartial.Path).TrimEnd('/');
        _client = new HttpClient
        {
            BaseAddress = new Uri((path.EndsWith("/v1", StringComparison.Ordinal) ? path : path + "/v1") + "/"),
            Timeout = TimeSpan.FromHours(1),
        };
        if (apiKey is not null) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", apiKey);
        _attempts = new ResiliencePipelineBuilder<HttpResponseMessage>().AddRetry(new RetryStrategyOptions<HttpResponseMessage>
        {
            MaxRetryAttempts = Retries,
            Delay = firstRetryDelay,
            BackoffType = DelayBackoffType.Exponential,
            ShouldHandle = new PredicateBuilder<HttpResponseMessage>().Handle<HttpRequestException>().HandleResult(response =>
                response.StatusCode == HttpStatusCode.TooManyRequests || (int)response.StatusCode >= 500),
        }).Build();
    }

    /// <summary>The names that the server serves; the pair's comes first.</summary>
    /// <exception cref="HttpRequestException">It does not respond, or is no such server.</exception>
    public async Task<IReadOnlyList<string>> ModelsAsync(CancellationToken cancellation)
    {
        var response = await SendAsync("models", null, cancellation);
        return Read("models", () => response["data"]!.AsArray().Select(model => (string)model!["id"]!).ToArray());
    }

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">Nothing usable came back.</exception>
    /// <exception cref="InvalidRequestException">The server refuses the request.</exception>
    public async Task<IReadOnlyList<GeneratedText>> GenerateAsync(
        SweepPrompt prompt, long seed, IReadOnlyList<double> strengths, int samples, CancellationToken cancellation)
    {
        var body = new JsonObject
        {
            ["alignment_sweep"] = Numbers(strengths),
            ["n"] = samples,
            ["seed"] = seed,
            ["max_tokens"] = _settings.MaxTokens,
            ["temperature"] = _settings.Temperature,
            ["top_p"] = _settings.TopP,
            ["top_k"] = 0,
            ["min_p"] = 0,
            ["repetition_penalty"] = 1,
            ["return_token_ids"] = true,
        };
        var chat = prompt.Input as ChatPrompt;
        if (chat is null) body["prompt"] = prompt.Text;
        else
            body["messages"] = new JsonArray([.. chat.Messages.Select(message =>
                new JsonObject { ["role"] = message.Role, ["content"] = message.Content })]);
        var path = chat is null ? "completions" : "chat/completions";
        var response = await SendAsync(path, body, cancellation);
        var texts = Read(path, () => response["choices"]!.AsArray().Select(choice => Text(response, choice!)).ToArray());
        return texts.Length == strengths.Count * samples ? texts
            : throw new HttpRequestException($"{Name(path)} gave {texts.Length} choices, not {strengths.Count * samples}.");
    }

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">Nothing usable came back.</exception>
    public async Task<IReadOnlyList<ScoredText>> ScoreAsync(
        IReadOnlyList<CompletionTokens> texts, double strength, CancellationToken cancellation)
    {
        const string path = "realignment/score";
        var response = await SendAsync(path, new JsonObject
        {
            ["items"] = new JsonArray([.. texts.Select(text =>
                new JsonObject { ["prompt"] = Numbers(text.Prompt), ["continuation"] = Numbers(text.Generated) })]),
            ["alignment_sweep"] = new JsonArray(strength),
        }, cancellation);
        return Read(path, () => response["items"]!.AsArray().Select(item => Score(item!)).ToArray());
    }

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private static GeneratedText Text(JsonNode response, JsonNode choice) => new(
        (string)(choice["text"] ?? choice["message"]!["content"])!,
        new CompletionTokens(Tokens(choice["prompt_token_ids"] ?? response["prompt_token_ids"]), Tokens(choice["token_ids"])),
        (string?)choice["finish_reason"] == "stop");

    private static ScoredText Score(JsonNode item)
    {
        var (mixture, aligned) = (item["scores"]![0]!, item["logprob_aligned"] ?? item["logprobs_aligned"]!.AsObject().First().Value);
        return new ScoredText((double)mixture["kl_to_reference"]!,
            new SequenceLogProbs((double)mixture["logprob"]!, (double)item["logprob_reference"]!, (double)aligned!));
    }

    private static int[] Tokens(JsonNode? list) => [.. list!.AsArray().Select(token => (int)token!)];

    private static JsonArray Numbers<T>(IEnumerable<T> numbers) => new([.. numbers.Select(number => JsonValue.Create(number))]);

    /// <param name="path">After <c>/v1/</c>.</param>
    /// <param name="body">What is posted; null = nothing, a GET.</param>
    /// <param name="cancellation">Stops it.</param>
    private async Task<JsonNode> SendAsync(string path, JsonObject? body, CancellationToken cancellation)
    {
        using var response = await _attempts.ExecuteAsync(async token =>
            body is null ? await _client.GetAsync(path, token) : await _client.PostAsJsonAsync(path, body, token), cancellation);
        var text = await response.Content.ReadAsStringAsync(cancellation);
        if (response.IsSuccessStatusCode) return Read(path, () => JsonNode.Parse(text)!);
        var what = $"{Name(path)} responds with status {(int)response.StatusCode}: {Message(text)}";
        throw response.StatusCode == HttpStatusCode.BadRequest
            ? new InvalidRequestException("", what) : new HttpRequestException(what, null, response.StatusCode);
    }

    private static string Message(string text)
    {
        try
        {
            return (string)JsonNode.Parse(text)!["error"]!["message"]!;
        }
        catch (Exception other) when (other is JsonException or InvalidOperationException or NullReferenceException)
        {
            return Excerpt.Of(text);
        }
    }

    private T Read<T>(string path, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new HttpRequestException($"{Name(path)} gave no response of the form that is needed; is it a server of dera's?", wrong);
        }
    }

    private string Name(string path) => $"{_client.BaseAddress}{path}";
}
