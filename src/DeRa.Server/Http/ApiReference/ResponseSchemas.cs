using System.Text.Json.Nodes;

namespace DeRa.Server.Http.ApiReference;

/// <summary>
/// The schemas of responses, OpenAI's with our fields beside theirs, out of the files in <c>Schemas</c>. Nothing else is sent:
/// the tests hold every response against them.
/// </summary>
internal static class ResponseSchemas
{
    /// <summary>The files, in the order in which the document has their schemas.</summary>
    private static readonly string[] Files = ["common", "completion", "chat", "measures", "score", "tokenizer", "server"];

    private static readonly JsonObject Parsed = new(Files.SelectMany(Read));

    /// <summary>All of them, by name; the caller's own copy.</summary>
    public static JsonObject All() => (JsonObject)Parsed.DeepClone();

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Read(string file)
    {
        using var stream = typeof(ResponseSchemas).Assembly.GetManifestResourceStream($"ResponseSchemas/{file}.json")!;
        return [.. ((JsonObject)JsonNode.Parse(stream)!).Select(schema => KeyValuePair.Create(schema.Key, schema.Value?.DeepClone()))];
    }
}
