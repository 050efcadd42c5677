using System.Text;
using System.Text.Json;
using DeRa.Protos.V1;
using Xunit;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>A choice as its client saw it; after leaving, a part of it.</summary>
internal sealed class SeenChoice
{
    public string Text { get; set; } = "";

    /// <summary>The generated tokens.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Of all tokens, an echoed prompt's first; null for a prompt's first one.</summary>
    public List<double?> LogProbs { get; } = [];

    /// <summary>As HTTP spells it.</summary>
    public string? FinishReason { get; set; }
}

/// <summary>Sends a request over the transport that it names and reads its choices.</summary>
internal static class TraceClient
{
    private static CancellationToken Stop => ServerFixture.Stop;

    public static Task<SeenChoice[]> RunAsync(ServerFixture server, TraceRequest request) => (request.Grpc, request.Stream) switch
    {
        (true, true) => StreamGrpcAsync(server, request),
        (true, false) => CallGrpcAsync(server, request),
        (false, true) => StreamHttpAsync(server, request),
        (false, false) => CallHttpAsync(server, request),
    };

    /// <summary>The tokens of a chat's prompt.</summary>
    public static async Task<int[]> PromptAsync(ServerFixture server, string message)
    {
        var reply = await server.PostAsync("/tokenize",
            JsonSerializer.Serialize(new { messages = new[] { new { role = "user", content = message } } }));
        return [.. reply.Json.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())];
    }

    private static string Path(TraceRequest request) => request.Message is null ? "/v1/completions" : "/v1/chat/completions";

    private static SeenChoice[] Choices(TraceRequest request) => [.. Enumerable.Range(0, request.N).Select(_ => new SeenChoice())];

    private static async Task<SeenChoice[]> CallHttpAsync(ServerFixture server, TraceRequest request)
    {
        var choices = Choices(request);
        var reply = await server.PostAsync(Path(request), request.ToJson());
        Assert.True(reply.Status == 200, reply.Body);
        Read(reply.Json, choices);
        return choices;
    }

    private static async Task<SeenChoice[]> StreamHttpAsync(ServerFixture server, TraceRequest request)
    {
        var choices = Choices(request);
        using var message = new HttpRequestMessage(HttpMethod.Post, Path(request));
        message.Content = new StringContent(request.ToJson(), Encoding.UTF8, "application/json");
        using var response = await server.Http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
        var pieces = 0;
        while (pieces < request.LeaveAfterPieces && await lines.ReadLineAsync(Stop) is { } line)
        {
            if (!line.StartsWith("data: {", StringComparison.Ordinal)) continue;
            using var piece = JsonDocument.Parse(line["data: ".Length..]);
            Read(piece.RootElement, choices);
            pieces++;
        }
        return choices;
    }

    private static void Read(JsonElement answer, SeenChoice[] choices)
    {
        Assert.False(answer.TryGetProperty("error", out var error), error.ToString());
        foreach (var choice in answer.GetProperty("choices").EnumerateArray())
        {
            var seen = choices[choice.GetProperty("index").GetInt32()];
            seen.Text += Text(choice);
            if (choice.TryGetProperty("token_ids", out var ids) && ids.ValueKind == JsonValueKind.Array)
                seen.Tokens.AddRange(ids.EnumerateArray().Select(id => id.GetInt32()));
            if (choice.GetProperty("logprobs") is { ValueKind: JsonValueKind.Object } logProbs)
                seen.LogProbs.AddRange(LogProbs(logProbs));
            seen.FinishReason ??= choice.GetProperty("finish_reason").GetString();
        }
    }

    private static string Text(JsonElement choice)
    {
        if (choice.TryGetProperty("text", out var text)) return text.GetString()!;
        var said = choice.TryGetProperty("message", out var message) ? message : choice.GetProperty("delta");
        return said.TryGetProperty("content", out var content) ? content.GetString()! : "";
    }

    private static IEnumerable<double?> LogProbs(JsonElement found) => found.TryGetProperty("content", out var tokens)
        ? tokens.EnumerateArray().Select(token => (double?)token.GetProperty("logprob").GetDouble())
        : found.GetProperty("token_logprobs").EnumerateArray()
            .Select(value => value.ValueKind == JsonValueKind.Null ? (double?)null : value.GetDouble());

    private static async Task<SeenChoice[]> CallGrpcAsync(ServerFixture server, TraceRequest request)
    {
        var choices = Choices(request);
        var answer = await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = Prompt(request), Options = request.ToOptions() }, cancellationToken: Stop);
        foreach (var choice in answer.Choices)
        {
            Add(choices[choice.Index], choice.Text, choice.Tokens, request);
            choices[choice.Index].FinishReason = Spell(choice.FinishReason);
        }
        return choices;
    }

    private static async Task<SeenChoice[]> StreamGrpcAsync(ServerFixture server, TraceRequest request)
    {
        var choices = Choices(request);
        using var call = server.Inference.GenerateStream(
            new GenerateStreamRequest { Prompt = Prompt(request), Options = request.ToOptions() }, cancellationToken: Stop);
        for (var pieces = 0; pieces < request.LeaveAfterPieces && await call.ResponseStream.MoveNext(Stop); pieces++)
        {
            var happened = call.ResponseStream.Current;
            if (happened.Delta is { } delta) Add(choices[delta.Index], delta.Text, delta.Tokens, request);
            if (happened.Finished is { } finished) choices[finished.Index].FinishReason = Spell(finished.FinishReason);
        }
        return choices;
    }

    private static void Add(SeenChoice choice, string text, IEnumerable<Token> tokens, TraceRequest request)
    {
        choice.Text += text;
        foreach (var token in tokens)
        {
            if (!token.IsPrompt) choice.Tokens.Add(token.Id);
            if (request.LogProbs is not null) choice.LogProbs.Add(token.HasLogprob ? token.Logprob : null);
        }
    }

    private static Prompt Prompt(TraceRequest request) => request.Message is { } message
        ? new() { Messages = new Conversation { Messages = { new ChatMessage { Role = Role.User, Content = message } } } }
        : new() { TokenIds = new TokenIds { Ids = { request.Prompt } } };

    private static string Spell(FinishReason reason) => reason == FinishReason.Length ? "length" : "stop";
}
