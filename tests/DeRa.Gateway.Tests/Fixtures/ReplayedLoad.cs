using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Testing.Server;
using Xunit;

namespace DeRa.Gateway.Tests.Fixtures;

/// <summary>
/// Conversations of several turns, a few at a time, each turn at another strength and with all that was said before; some of them begin
/// with the same instructions. The same every time, but for what fails.
/// </summary>
/// <param name="conversations">How many.</param>
/// <param name="turns">Turns of each.</param>
/// <param name="atOnce">Conversations that run at the same time.</param>
internal sealed class ReplayedLoad(int conversations, int turns, int atOnce)
{
    private const int Instructions = 6, MaxTokens = 12;
    private static readonly double[] s_strengths = [0, .5, 1, 2];
    private int _ended;

    /// <summary>Called with the number of turns that have ended, after each.</summary>
    public Func<int, Task> Progress { get; init; } = _ => Task.CompletedTask;

    /// <summary>Plays all of them.</summary>
    public async Task<IReadOnlyList<ReplayedTurn>> RunAsync(HttpClient http)
    {
        var (played, next) = (new ConcurrentBag<ReplayedTurn>(), -1);
        async Task PlayAsync()
        {
            while (Interlocked.Increment(ref next) is var conversation && conversation < conversations)
                await ConverseAsync(http, conversation, played);
        }
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(_ => PlayAsync()));
        return [.. played];
    }

    /// <summary>Sends a request and reads its events until they end.</summary>
    public static async Task<ReplayedTurn> SendAsync(HttpClient http, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, ServerFixture.Stop);
        // Nothing may be lost before the first byte.
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(ServerFixture.Stop));
        var turn = new ReplayedTurn(body, "", false, false, 0, 0);
        while (await reader.ReadLineAsync(ServerFixture.Stop) is { } line)
            if (line.StartsWith("data: ", StringComparison.Ordinal)) turn = Read(turn, line["data: ".Length..]);
        return turn;
    }

    private async Task ConverseAsync(HttpClient http, int conversation, ConcurrentBag<ReplayedTurn> played)
    {
        var messages = new JsonArray(Message("system", string.Concat(Enumerable.Repeat($"Instruction {conversation % Instructions}. ", 8))));
        for (var turn = 0; turn < turns; turn++)
        {
            messages.Add(Message("user", string.Concat(Enumerable.Repeat($"Question {turn} of {conversation}. ", 10))));
            var body = new JsonObject
            {
                ["messages"] = messages.DeepClone(),
                ["max_tokens"] = MaxTokens,
                ["seed"] = conversation,
                ["alignment_strength"] = s_strengths[(conversation + turn) % s_strengths.Length],
                ["stream"] = true,
                ["stream_options"] = new JsonObject { ["include_usage"] = true },
            };
            var ended = await SendAsync(http, body.ToJsonString());
            played.Add(ended);
            messages.Add(Message("assistant", ended.Text));
            await Progress(Interlocked.Increment(ref _ended));
        }
    }

    private static ReplayedTurn Read(ReplayedTurn turn, string data)
    {
        if (data == "[DONE]") return turn with { HasFinished = true };
        using var json = JsonDocument.Parse(data);
        if (json.RootElement.TryGetProperty("error", out _)) return turn with { HasErrorEvent = true };
        if (json.RootElement.TryGetProperty("usage", out var usage) && usage.ValueKind == JsonValueKind.Object)
            turn = turn with
            {
                PromptTokens = usage.GetProperty("prompt_tokens").GetInt32(),
                CachedTokens = usage.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32(),
            };
        var choices = json.RootElement.GetProperty("choices");
        return choices.GetArrayLength() > 0 && choices[0].GetProperty("delta").TryGetProperty("content", out var content)
            ? turn with { Text = turn.Text + content.GetString() } : turn;
    }

    private static JsonObject Message(string role, string content) => new() { ["role"] = role, ["content"] = content };
}
