using System.Text.Json;
using System.Text.Json.Nodes;
using NJsonSchema;
using Xunit;

namespace DeRa.Testing.Server;

/// <summary>OpenAI's own schemas, with what they lack: null where the document says <c>nullable</c>, and a completion's chunk.</summary>
public static class OpenAiSchemas
{
    private const string CompletionChunk = "CreateCompletionStreamResponse";
    private static readonly Dictionary<string, string> Names = new()
    {
        ["Completion"] = "CreateCompletionResponse",
        ["CompletionChunk"] = CompletionChunk,
        ["ChatCompletion"] = "CreateChatCompletionResponse",
        ["ChatCompletionChunk"] = "CreateChatCompletionStreamResponse",
        ["ModelList"] = "ListModelsResponse",
        ["Model"] = "Model",
        ["Error"] = "ErrorResponse",
    };

    private static readonly Lazy<SchemaSet?> All = new(Read);

    /// <summary>OpenAI's schema of one of our responses; null where they have none, or are not at hand.</summary>
    public static JsonSchema? Find(string response) => Names.TryGetValue(response, out var name) ? All.Value?[name] : null;

    /// <summary>The same; skips the test where the schemas are not at hand.</summary>
    public static JsonSchema Need(string response)
    {
        Assert.SkipWhen(All.Value is null, "needs ../shared/reference beside the checkout, which is not there");
        return Find(response)!;
    }

    /// <summary>The fields of one of their requests; skips the test where the schemas are not at hand.</summary>
    public static IReadOnlyList<string> RequestFields(string request)
    {
        var all = Published();
        Assert.SkipWhen(all is null, "needs ../shared/reference beside the checkout, which is not there");
        return [.. Fields(all!, all![request]!).Distinct()];
    }

    private static IEnumerable<string> Fields(JsonObject all, JsonNode schema)
    {
        if (schema["$ref"] is { } target) return Fields(all, all[target.ToString().Split('/')[^1]]!);
        var own = (schema["properties"] as JsonObject ?? []).Select(property => property.Key);
        return own.Concat((schema["allOf"] as JsonArray ?? []).SelectMany(part => Fields(all, part!)));
    }

    private static JsonObject? Published()
    {
        var path = Path.Combine(SharedData.ProjectRoot, "..", "shared", "reference", "openai-schemas.json");
        return File.Exists(path) ? (JsonObject)JsonNode.Parse(File.ReadAllText(path))!["components"]!["schemas"]! : null;
    }

    private static SchemaSet? Read()
    {
        if (Published() is not { } all) return null;
        AllowUnscoredTokens(all["CreateCompletionResponse"]!);
        all[CompletionChunk] = Chunk(all["CreateCompletionResponse"]!);
        Prepare(all);
        return new SchemaSet((JsonObject)all.DeepClone());
    }

    /// <summary>Nothing comes before the first token of an echoed prompt that it could be scored after: its entries are null.</summary>
    private static void AllowUnscoredTokens(JsonNode completion)
    {
        var lists = completion["properties"]!["choices"]!["items"]!["properties"]!["logprobs"]!["anyOf"]![0]!["properties"]!;
        foreach (var list in (string[])["token_logprobs", "top_logprobs"]) lists[list]!["items"]!["nullable"] = true;
    }

    /// <summary>A chunk is the response, with a finish reason and usage that may be null.</summary>
    private static JsonNode Chunk(JsonNode completion)
    {
        var chunk = completion.DeepClone();
        var properties = chunk["properties"]!;
        properties["choices"]!["items"]!["properties"]!["finish_reason"]!["nullable"] = true;
        properties["usage"] = new JsonObject
        {
            ["anyOf"] = new JsonArray(properties["usage"]!.DeepClone(),
            new JsonObject { ["type"] = "null" })
        };
        return chunk;
    }

    /// <summary><c>nullable</c> is nothing that JSON Schema knows: it becomes a choice between the type and null.</summary>
    private static void Prepare(JsonNode? node)
    {
        if (node is JsonArray list)
            foreach (var item in list) Prepare(item);
        if (node is not JsonObject fields) return;
        foreach (var (_, value) in fields.ToList()) Prepare(value);
        if (fields["nullable"] is not JsonValue { } nullable || nullable.GetValueKind() != JsonValueKind.True) return;
        fields.Remove("nullable");
        var plain = new JsonObject(fields.ToList().Select(entry => KeyValuePair.Create(entry.Key, entry.Value?.DeepClone())));
        fields.Clear();
        fields["anyOf"] = new JsonArray(plain, new JsonObject { ["type"] = "null" });
    }
}
