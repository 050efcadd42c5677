using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace DeRa.Benchmarks.Load;

/// <summary>A client with a connection of its own, which asks for one reply at a time.</summary>
internal sealed class ChatClient : IDisposable
{
    private static readonly JsonSerializerOptions Wire = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly HttpClient _http;
    private readonly LoadOptions _options;

    public ChatClient(LoadOptions options)
    {
        _options = options;
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 1 })
        {
            BaseAddress = options.Server,
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Asks for a reply and reads it to its end. What goes wrong is told by the result.</summary>
    /// <param name="messages">The conversation so far.</param>
    /// <param name="strength">The alignment strength; null = not sent.</param>
    /// <param name="stop">Cuts it off.</param>
    public async Task<ChatTurn> AskAsync(IReadOnlyList<ChatMessage> messages, double? strength, CancellationToken stop)
    {
        var turn = new ChatTurn();
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions") { Content = Body(messages, strength) };
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
            if (response.IsSuccessStatusCode) await ReadAsync(turn, response, stop);
            else await RefusedAsync(turn, response, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            turn.IsCutOff = true;
        }
        catch (HttpRequestException fault)
        {
            turn.Failure = $"connection: {fault.HttpRequestError}";
        }
        // The last two: JSON that is no chunk.
        catch (Exception fault) when (fault is IOException or JsonException or InvalidOperationException or KeyNotFoundException)
        {
            turn.Failure = $"stream: {fault.GetType().Name}";
        }
        return turn;
    }

    private JsonContent Body(IReadOnlyList<ChatMessage> messages, double? strength) => JsonContent.Create(new
    {
        model = _options.Model,
        messages = messages.Select(message => new { role = message.Role, content = message.Content }),
        max_tokens = _options.MaxTokens > 0 ? _options.MaxTokens : (int?)null,
        alignment_strength = strength,
        stream = true,
        stream_options = new { include_usage = true },
    }, options: Wire);

    private static async Task ReadAsync(ChatTurn turn, HttpResponseMessage response, CancellationToken stop)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        await foreach (var happened in SseParser.Create(stream).EnumerateAsync(stop))
        {
            if (happened.Data == "[DONE]")
            {
                turn.End();
                return;
            }
            using var chunk = JsonDocument.Parse(happened.Data);
            turn.Take(chunk.RootElement);
            if (turn.Failure is not null) return;
        }
        turn.Failure = "stream: ended without [DONE]";
    }

    private static async Task RefusedAsync(ChatTurn turn, HttpResponseMessage response, CancellationToken stop)
    {
        var (status, body) = ((int)response.StatusCode, await response.Content.ReadAsStringAsync(stop));
        // OpenAI, vLLM and llama.cpp say it with different codes; only this word is in all of them.
        turn.IsTooLong = status == 400 && body.Contains("context", StringComparison.OrdinalIgnoreCase);
        turn.Failure = $"HTTP {status} {KindOf(body)}";
    }

    private static string KindOf(string body)
    {
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.TryGetProperty("error", out var error) ? ChatTurn.KindOf(error) : "unknown";
        }
        catch (JsonException)
        {
            return "unknown";
        }
    }
}
