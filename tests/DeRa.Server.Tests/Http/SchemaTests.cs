using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Testing;
using NJsonSchema;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>Answers against OpenAI's own schemas.</summary>
public class SchemaTests
{
    private const string Chat = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";

    [Theory]
    [InlineData("/v1/completions", "CreateCompletionResponse", "\"prompt\":\"a\"")]
    [InlineData("/v1/completions", "CreateCompletionResponse", "\"prompt\":[\"a\",\"b\"],\"n\":2,\"logprobs\":2,\"return_token_ids\":true")]
    [InlineData("/v1/completions", "CreateCompletionResponse", "\"prompt\":[\"ab\",\"b\"],\"n\":2,\"best_of\":3,\"prompt_logprobs\":2,\"echo\":true")]
    [InlineData("/v1/completions", "CreateCompletionResponse", "\"prompt\":\"a\",\"logprobs\":1,\"return_tokens_as_token_ids\":true,\"stop\":\"é\",\"include_stop_str_in_output\":true")]
    [InlineData("/v1/chat/completions", "CreateChatCompletionResponse", Chat + ",\"prompt_logprobs\":1,\"skip_special_tokens\":false,\"continue_final_message\":true")]
    [InlineData("/v1/chat/completions", "CreateChatCompletionResponse", Chat)]
    [InlineData("/v1/chat/completions", "CreateChatCompletionResponse", Chat + ",\"n\":2,\"logprobs\":true,\"top_logprobs\":3,\"max_tokens\":9")]
    public async Task An_answer_is_as_the_schema_says(string path, string schema, string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé 日"));
        AssertValid(await SchemaAsync(schema), (await server.PostAsync(path, "{" + fields + "}")).Body);
    }

    [Theory]
    [InlineData(Chat)]
    [InlineData(Chat + ",\"n\":2,\"logprobs\":true,\"top_logprobs\":1,\"stream_options\":{\"include_usage\":true}")]
    [InlineData(Chat + ",\"stop_token_ids\":[32],\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}")]
    public async Task Every_chunk_of_a_chat_is_as_the_schema_says(string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé 日"));
        var schema = await SchemaAsync("CreateChatCompletionStreamResponse");
        var events = (await server.ChatAsync("{\"stream\":true," + fields + "}")).Events();
        Assert.True(events.Count > 4);
        foreach (var chunk in events) AssertValid(schema, chunk.GetRawText());
    }

    /// <summary>OpenAI's document has no schema for a completion's chunk: it is the answer's, with a finish reason and usage that may be null.</summary>
    [Fact]
    public async Task Every_chunk_of_a_completion_is_as_the_answers_schema_says()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé 日"));
        var schema = await SchemaAsync("CreateCompletionResponse", document =>
        {
            var properties = document["properties"]!;
            properties["choices"]!["items"]!["properties"]!["finish_reason"]!["nullable"] = true;
            properties["usage"] = new JsonObject { ["anyOf"] = new JsonArray(properties["usage"]!.DeepClone(), new JsonObject { ["type"] = "null" }) };
        });
        var events = (await server.CompleteAsync(
            """{"prompt":"a","stream":true,"logprobs":1,"stream_options":{"include_usage":true}}""")).Events();
        Assert.True(events.Count > 4);
        foreach (var chunk in events) AssertValid(schema, chunk.GetRawText());
    }

    [Fact]
    public async Task Errors_and_models_are_as_the_schemas_say()
    {
        await using var server = await ServerFixture.StartAsync();
        AssertValid(await SchemaAsync("ErrorResponse"), (await server.CompleteAsync("{}")).Body);
        AssertValid(await SchemaAsync("ErrorResponse"), (await server.CompleteAsync("{")).Body);
        AssertValid(await SchemaAsync("ListModelsResponse"), (await server.GetAsync("/v1/models")).Body);
        AssertValid(await SchemaAsync("Model"), (await server.GetAsync("/v1/models/pair")).Body);
    }

    [Fact]
    public async Task The_check_itself_can_fail()
    {
        var schema = await SchemaAsync("CreateCompletionResponse");
        Assert.NotEmpty(schema.Validate("""{"id":"x","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"a"}]}"""));
        Assert.NotEmpty(schema.Validate("""{"id":"x","object":"other","created":1,"model":"m","choices":[]}"""));
    }

    internal static void AssertValid(JsonSchema schema, string json) =>
        Assert.True(schema.Validate(json) is { Count: 0 }, string.Join('\n', schema.Validate(json)) + '\n' + json);

    internal static async Task<JsonSchema> SchemaAsync(string name, Action<JsonNode>? change = null)
    {
        var path = Path.Combine(SharedData.ProjectRoot, "..", "shared", "reference", "openai-schemas.json");
        Assert.SkipUnless(File.Exists(path), "needs ../shared/reference beside the checkout, which is not there");
        var all = JsonNode.Parse(await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken))!["components"]!["schemas"]!;
        change?.Invoke(all[name]!);
        Prepare(all);
        var root = all[name]!.DeepClone();
        root["definitions"] = all.DeepClone();
        var text = root.ToJsonString().Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal);
        return await JsonSchema.FromJsonAsync(text, TestContext.Current.CancellationToken);
    }

    /// <summary>The document says <c>nullable</c>, which JSON Schema does not know: it becomes a choice between the type and null.</summary>
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
