using System.Text.Json;
using DeRa.Engine;
using DeRa.Server.Http.ApiReference;
using DeRa.Server.Http.Page;
using NJsonSchema;
using Xunit;

namespace DeRa.Testing.Server;

/// <summary>
/// Holds every response that passes through <see cref="Reply"/>, and each chunk of a stream, against the schemas of our own API
/// reference, which allow nothing else, and against OpenAI's where they are at hand.
/// </summary>
public static class ResponseCheck
{
    private static readonly Lazy<IReadOnlyList<ApiOperation>> Operations = new(ReadOperations);
    private static readonly Lazy<SchemaSet> Ours = new(() => new SchemaSet(ResponseSchemas.All()));

    /// <summary>Fails where a response is not one that its operation documents.</summary>
    public static void AssertValid(HttpResponseMessage response, string body)
    {
        var request = response.RequestMessage!;
        // The response to a HEAD has no body, a refused upload's may be lost.
        if (request.Method == HttpMethod.Head || body.Length == 0) return;
        // The files of the page are no operations.
        var path = request.RequestUri!.AbsolutePath;
        if (response.IsSuccessStatusCode && (path == "/" || path.StartsWith(PageEndpoints.Folder, StringComparison.Ordinal))) return;
        List<string> faults = [.. HeaderFaults(response), .. Faults(Find(path), (int)response.StatusCode,
            response.Content.Headers.ContentType?.MediaType, body)];
        Assert.True(faults.Count == 0, string.Join('\n', faults) + '\n' + body);
    }

    private static IEnumerable<string> HeaderFaults(HttpResponseMessage response)
    {
        string Text(string name) => response.Headers.TryGetValues(name, out var values) ? string.Join(", ", values) : "";
        if (Text("x-request-id").Length != 32) yield return "there is no x-request-id of the server's";
        if ((int)response.StatusCode is 429 or 503 && Text("Retry-After").Length == 0) yield return "there is no Retry-After";
        if (response.Content.Headers.ContentType?.MediaType != "text/event-stream") yield break;
        var found = (response.Content.Headers.ContentType.ToString(), Text("Cache-Control"), Text("X-Accel-Buffering"));
        if (found != ("text/event-stream; charset=utf-8", "no-cache", "no")) yield return $"a stream's headers are {found}";
    }

    /// <summary>What is wrong with a response.</summary>
    internal static IReadOnlyList<string> Faults(ApiOperation? operation, int status, string? mediaType, string body) => mediaType switch
    {
        "text/event-stream" => [.. Events(body).SelectMany(data => Faults(IsError(data) ? "Error" : operation?.Chunk ?? "nothing", data))],
        "application/json" => Faults(Name(operation, status), body),
        _ => operation?.MediaType == mediaType ? [] : [$"the media type is {mediaType}"],
    };

    /// <summary>The operation behind a path; null where there is none.</summary>
    internal static ApiOperation? Find(string path) => path.Length > 1 && path.EndsWith('/') ? Find(path[..^1])
        : Operations.Value.FirstOrDefault(operation => operation.Path == path)
            ?? (path.StartsWith("/v1/realignment/generations/", StringComparison.Ordinal) && !path.EndsWith('}')
                ? Find("/v1/realignment/generations/{id}") : null)
            ?? (path.StartsWith("/v1/models/", StringComparison.Ordinal) && !path.EndsWith('}') ? Find("/v1/models/{id}") : null);

    private static string Name(ApiOperation? operation, int status) => operation is null ? "Error"
        : operation.OtherResponses.TryGetValue(status, out var other) ? other : status < 400 ? operation.Response : "Error";

    private static IEnumerable<string> Events(string body) => body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
        .Where(line => line.StartsWith("data: {", StringComparison.Ordinal)).Select(line => line["data: ".Length..]);

    private static bool IsError(string data)
    {
        using var json = JsonDocument.Parse(data);
        return json.RootElement.TryGetProperty("error", out _);
    }

    private static List<string> Faults(string name, string json) =>
        [.. Faults(Ours.Value[name], "our " + name, json),
            .. OpenAiSchemas.Find(name) is { } openAi ? Faults(openAi, "OpenAI's", json) : []];

    private static IEnumerable<string> Faults(JsonSchema schema, string whose, string json) =>
        schema.Validate(json).Select(fault => $"{whose} schema: {fault}");

    private static IReadOnlyList<ApiOperation> ReadOperations()
    {
        var pair = ServerFixture.Pair(new ScriptedExecutor());
        using GenerationEngine engine = pair.Engine;
        return ApiOperations.Of(pair);
    }
}
