using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Fuzzing;

/// <summary>Whatever bytes come as a request: an answer or an error in the promised form, never a fault, and the server goes on.</summary>
public class JsonFuzzTests
{
    private const string Normal = """{"prompt":"a","max_tokens":4,"temperature":0}""";

    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Any_body_gets_an_answer_or_a_clear_refusal_and_leaves_no_block()
    {
        await using var server = await ServerFixture.StartAsync(new ScriptedExecutor(blockCount: 64));
        var usual = (await server.CompleteAsync(Normal)).Text();
        await FuzzRun.RunAsync(JsonCases.Bodies, request => $"{request.Path} {Encoding.UTF8.GetString(request.Body)}", async request =>
        {
            var reply = await SendAsync(server, request.Path, request.Body);
            Assert.True(reply.Headers.ContainsKey("x-request-id"));
            if (reply.Status == 200) CheckAnswer(request.Path, reply);
            else CheckRefusal(reply, request.Body);
            Assert.Equal(usual, (await server.CompleteAsync(Normal)).Text());
            await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0, QueuedSequences: 0 });
        });
    }

    private static async Task<Reply> SendAsync(ServerFixture server, string path, byte[] body)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await server.Http.PostAsync(path, content, Stop);
        return await Reply.ReadAsync(response);
    }

    private static void CheckAnswer(string path, Reply reply)
    {
        var content = path switch { "/tokenize" => "tokens", "/detokenize" => "prompt", _ => "choices" };
        IEnumerable<JsonElement> parts = reply.Headers["Content-Type"].StartsWith("text/event-stream", StringComparison.Ordinal)
            ? reply.Events() : [reply.Json];
        Assert.All(parts, part => Assert.True(part.TryGetProperty(content, out _) && !part.TryGetProperty("error", out _), reply.Body));
    }

    private static void CheckRefusal(Reply reply, byte[] body)
    {
        Assert.Contains(reply.Status, (int[])[400, 404]);
        Assert.Equal(["code", "message", "param", "type"], reply.Error.EnumerateObject().Select(entry => entry.Name).Order());
        Assert.Equal("invalid_request_error", reply.Type);
        Assert.NotEqual("", reply.Error.GetProperty("message").GetString());
        Assert.True(reply.Code is null or "context_length_exceeded" or "model_not_found", reply.Body);
        if (IsObject(body)) Assert.True(reply.Param is not null, reply.Body);
    }

    /// <summary>Whether it is a JSON object whose names are text: only then is there a field to name.</summary>
    private static bool IsObject(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, new JsonDocumentOptions { AllowDuplicateProperties = false });
            ReadNames(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return false;
        }
    }

    private static void ReadNames(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Array) foreach (var item in value.EnumerateArray()) ReadNames(item);
        if (value.ValueKind != JsonValueKind.Object) return;
        foreach (var field in value.EnumerateObject())
        {
            _ = field.Name;
            ReadNames(field.Value);
        }
    }
}
