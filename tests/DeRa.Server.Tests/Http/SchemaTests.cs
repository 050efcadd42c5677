using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>Answers against OpenAI's own schemas and ours; every other test of this project does the same with each reply.</summary>
public class SchemaTests
{
    private const string Chat = "\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]";

    [Theory]
    [InlineData("/v1/completions", "Completion", "\"prompt\":\"a\"")]
    [InlineData("/v1/completions", "Completion", "\"prompt\":[\"a\",\"b\"],\"n\":2,\"logprobs\":2,\"return_token_ids\":true")]
    [InlineData("/v1/completions", "Completion", "\"prompt\":\"ab\",\"echo\":true,\"logprobs\":1")]
    [InlineData("/v1/chat/completions", "ChatCompletion", Chat)]
    [InlineData("/v1/chat/completions", "ChatCompletion", Chat + ",\"n\":2,\"logprobs\":true,\"top_logprobs\":3,\"max_tokens\":9")]
    [InlineData("/v1/completions", "Completion", "\"prompt\":[\"ab\",\"b\"],\"n\":2,\"best_of\":3,\"prompt_logprobs\":2,\"echo\":true")]
    [InlineData("/v1/completions", "Completion",
        "\"prompt\":\"a\",\"logprobs\":1,\"return_tokens_as_token_ids\":true,\"stop\":\"é\",\"include_stop_str_in_output\":true")]
    [InlineData("/v1/chat/completions", "ChatCompletion",
        Chat + ",\"prompt_logprobs\":1,\"skip_special_tokens\":false,\"continue_final_message\":true")]
    public async Task An_answer_is_as_the_schema_says(string path, string schema, string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé 日"));
        var reply = await server.PostAsync(path, "{" + fields + "}");
        Assert.Equal(200, reply.Status);
        Assert.Empty(OpenAiSchemas.Need(schema).Validate(reply.Body));
    }

    [Theory]
    [InlineData("/v1/completions", "CompletionChunk",
        "\"prompt\":\"ab\",\"echo\":true,\"logprobs\":1,\"stream_options\":{\"include_usage\":true}")]
    [InlineData("/v1/chat/completions", "ChatCompletionChunk", Chat)]
    [InlineData("/v1/chat/completions", "ChatCompletionChunk",
        Chat + ",\"n\":2,\"logprobs\":true,\"top_logprobs\":1,\"stream_options\":{\"include_usage\":true}")]
    [InlineData("/v1/chat/completions", "ChatCompletionChunk",
        Chat + ",\"stop_token_ids\":[32],\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}")]
    public async Task Every_chunk_is_as_the_schema_says(string path, string schema, string fields)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé 日"));
        var events = (await server.PostAsync(path, "{\"stream\":true," + fields + "}")).Events();
        Assert.True(events.Count > 4);
        foreach (var chunk in events) Assert.Empty(OpenAiSchemas.Need(schema).Validate(chunk.GetRawText()));
    }

    [Fact]
    public void OpenAIs_schemas_refuse_what_is_no_answer()
    {
        var schema = OpenAiSchemas.Need("Completion");
        Assert.NotEmpty(
            schema.Validate("""{"id":"x","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"text":"a"}]}"""));
        Assert.NotEmpty(schema.Validate("""{"id":"x","object":"other","created":1,"model":"m","choices":[]}"""));
        Assert.NotEmpty(OpenAiSchemas.Need("CompletionChunk")
            .Validate("""{"id":"x","object":"text_completion","created":1,"model":"m"}"""));
    }

    private const string Head = """{"id":"cmpl-1","object":"text_completion","created":1,"model":"m","seed":1,"choices":[]""";
    private const string Usage = ",\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2";
    private const string Details = ",\"prompt_tokens_details\":{\"cached_tokens\":0}";

    [Theory]
    [InlineData(200, "application/json", Head + "}")]
    [InlineData(200, "application/json", Head + Usage + "}}")]
    [InlineData(200, "application/json", Head + Usage + Details + "},\"more\":1}")]
    [InlineData(200, "text/event-stream", "data: {\"id\":\"cmpl-1\"}\n\ndata: [DONE]\n\n")]
    [InlineData(400, "application/json", """{"error":{"message":"m","type":"invalid_request_error","param":null}}""")]
    [InlineData(400, "application/json", """{"error":{"message":"m","type":"invalid_request_error","param":null,"code":400}}""")]
    [InlineData(200, "text/plain", "text")]
    public void The_check_of_every_reply_can_fail(int status, string mediaType, string body) =>
        Assert.NotEmpty(ResponseCheck.Faults(ResponseCheck.Find("/v1/completions"), status, mediaType, body));

    [Theory]
    [InlineData(200, "application/json", Head + Usage + Details + "}}")]
    [InlineData(400, "application/json", """{"error":{"message":"m","type":"invalid_request_error","param":null,"code":null}}""")]
    [InlineData(200, "text/event-stream",
        "data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"param\":null,\"code\":null}}\n\ndata: [DONE]\n\n")]
    public void The_check_of_every_reply_can_pass(int status, string mediaType, string body) =>
        Assert.Empty(ResponseCheck.Faults(ResponseCheck.Find("/v1/completions"), status, mediaType, body));
}
