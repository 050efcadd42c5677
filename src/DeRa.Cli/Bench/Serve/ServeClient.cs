using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeRa.Cli.Bench.Serve;

/// <summary>Asks a server for replies. Any thread.</summary>
internal sealed class ServeClient : IDisposable
{
    private const int ExcerptLength = 300;

    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(30);
    private static readonly JsonSerializerOptions s_wire = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly HttpClient _http;
    private readonly ServeTarget _target;

    /// <param name="target">The server.</param>
    /// <param name="connections">Most connections at once.</param>
    public ServeClient(ServeTarget target, int connections)
    {
        _target = target;
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections, ConnectTimeout = s_connectTimeout })
        {
            Timeout = Timeout.InfiniteTimeSpan,
        };
        if (target.ApiKey is { } key) _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Asks for a reply and reads it to its end. What goes wrong is told by the result.</summary>
    /// <param name="messages">The conversation so far; of completions the last message alone is sent, as the prompt.</param>
    /// <param name="options">Says what else is sent.</param>
    /// <param name="strength">The alignment strength; null = not sent.</param>
    /// <param name="stop">Interrupts it.</param>
    public async Task<ServeRequest> AskAsync(
        IReadOnlyList<ChatMessage> messages, ServeOptions options, double? strength, CancellationToken stop)
    {
        var asked = new ServeRequest();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, _target.Address) { Content = Body(messages, options, strength) };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.IsSuccessStatusCode) await ReadAsync(asked, response, stop);
            else await RefusedAsync(asked, response, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            asked.IsInterrupted = true;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            (asked.Failure, asked.FailureMessage) =
                ($"connection: {(fault as HttpRequestException)?.HttpRequestError ?? HttpRequestError.ConnectionError}", fault.Message);
        }
        // The last two: JSON that is no chunk.
        catch (Exception fault) when (fault is IOException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            (asked.Failure, asked.FailureMessage) = ($"stream: {fault.GetType().Name}", fault.Message);
        }
        return asked;
    }

    private JsonContent Body(IReadOnlyList<ChatMessage> messages, ServeOptions options, double? strength) => JsonContent.Create(new
    {
        model = _target.Model,
        messages = _target.IsChat ? messages.Select(message => new { role = message.Role, content = message.Content }) : null,
        prompt = _target.IsChat ? null : messages[^1].Content,
        max_tokens = options.MaxTokens > 0 ? options.MaxTokens : (int?)null,
        ignore_eos = options.IgnoreEos ? true : (bool?)null,
        alignment_strength = strength,
        stream = true,
        stream_options = new { include_usage = true },
    }, options: s_wire);

    private static async Task ReadAsync(ServeRequest asked, HttpResponseMessage response, CancellationToken stop)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        await foreach (var happened in SseParser.Create(stream).EnumerateAsync(stop))
        {
            if (happened.Data == "[DONE]")
            {
                asked.End();
                return;
            }
            using var chunk = JsonDocument.Parse(happened.Data);
            asked.Take(chunk.RootElement);
            if (asked.Failure is not null) return;
        }
        asked.Failure = "stream: ended without [DONE]";
    }

    private static async Task RefusedAsync(ServeRequest asked, HttpResponseMessage response, CancellationToken stop)
    {
        var (status, body) = ((int)response.StatusCode, await response.Content.ReadAsStringAsync(stop));
        // OpenAI, vLLM and llama.cpp say it with different codes; only this word is in all of them.
        asked.IsTooLong = status == 400 && body.Contains("context", StringComparison.OrdinalIgnoreCase);
        (asked.Status, asked.Failure) = (status, $"HTTP {status} {KindOf(body)}");
        asked.FailureMessage = body.Length <= ExcerptLength ? body : body[..ExcerptLength] + "…";
    }

    private static string KindOf(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out var error)
                ? ServeRequest.KindOf(error) : "unknown";
        }
        catch (JsonException)
        {
            return "unknown";
        }
    }
}
