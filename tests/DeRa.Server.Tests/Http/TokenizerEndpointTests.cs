using System.Text.Json;
using DeRa.Testing;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class TokenizerEndpointTests
{
    [Theory]
    [InlineData("/tokenize")]
    [InlineData("/v1/tokenize")]
    public async Task A_text_is_tokenized_as_a_completion_would_run_it(string path)
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.Equal("""{"count":4,"max_model_len":256,"tokens":[256,104,195,169],"token_strs":null}""",
            (await server.PostAsync(path, """{"prompt":"hé"}""")).Body);
        var usage = (await server.CompleteAsync("""{"prompt":"hé","max_tokens":1}""")).Json.GetProperty("usage");
        Assert.Equal(4, usage.GetProperty("prompt_tokens").GetInt32());
    }

    [Fact]
    public async Task Special_tokens_are_added_unless_told_otherwise_and_tokens_are_spelt_when_asked()
    {
        await using var server = await ServerFixture.StartAsync();
        var bare =
            await server.PostAsync("/tokenize",
            """{"prompt":"h","add_special_tokens":false,"return_token_strs":true,"model":"pair@0.5"}""");
        Assert.Equal("""{"count":1,"max_model_len":256,"tokens":[104],"token_strs":["<0x68>"]}""", bare.Body);
        var full = await server.PostAsync("/tokenize", """{"prompt":"h","add_special_tokens":true,"return_token_strs":true}""");
        Assert.Equal(["<s>", "<0x68>"], full.Json.GetProperty("token_strs").EnumerateArray().Select(token => token.GetString()));
    }

    [Fact]
    public async Task What_a_user_writes_is_no_special_token()
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.DoesNotContain(ByteTokenizer.Eos, Tokens(await server.PostAsync("/tokenize", """{"prompt":"</s>"}""")));
        Assert.Equal(ByteTokenizer.Eos,
            Assert.Single(Tokens(await server.PostAsync("/tokenize", """{"prompt":"</s>","parse_special":true}"""))));
    }

    [Fact]
    public async Task An_empty_text_and_one_longer_than_the_context_are_counted()
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.Empty(Tokens(await server.PostAsync("/tokenize", """{"prompt":"","add_special_tokens":false}""")));
        var text = new string('a', 5000);
        Assert.Equal(5001, (await server.PostAsync("/tokenize", $$"""{"prompt":"{{text}}"}""")).Json.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_conversation_is_tokenized_as_the_chat_template_lays_it_out()
    {
        await using var server = await TemplatedAsync();
        const string messages = "\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]";
        Assert.Equal("(user)hi(assistant)", Text(await server.PostAsync("/tokenize", "{" + messages + "}")));
        Assert.Equal("(user)hi", Text(await server.PostAsync("/tokenize", "{" + messages + ",\"add_generation_prompt\":false}")));
        Assert.Equal("!(user)hi(assistant)",
            Text(await server.PostAsync("/tokenize", "{" + messages + ",\"chat_template_kwargs\":{\"mark\":\"!\"}}")));
        Assert.Equal("(user)hi", Text(await server.PostAsync("/tokenize", "{" + messages + ",\"continue_final_message\":true}")));
        Assert.Equal(ByteTokenizer.Bos, Tokens(await server.PostAsync("/tokenize", "{" + messages + ",\"add_special_tokens\":true}"))[0]);
    }

    [Theory]
    [InlineData("{}", "prompt")]
    [InlineData("{\"prompt\":null,\"messages\":null}", "prompt")]
    [InlineData("{\"prompt\":[\"a\"]}", "prompt")]
    [InlineData("{\"prompt\":\"a\",\"messages\":[{\"role\":\"user\",\"content\":\"b\"}]}", "prompt")]
    [InlineData("{\"messages\":[]}", "messages")]
    [InlineData("{\"prompt\":\"a\",\"add_special_tokens\":1}", "add_special_tokens")]
    [InlineData("{\"prompt\":\"a\",\"add_special_token\":true}", "add_special_token")]
    [InlineData("{\"prompt\":\"a\",\"parse_special\":1}", "parse_special")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}],\"parse_special\":true}", "parse_special")]
    [InlineData("{\"prompt\":\"a\",\"lambda\":0.5}", "lambda")]
    [InlineData("{\"prompt\":\"a\",\"model\":\"pair@x\"}", "model")]
    [InlineData("{\"prompt\":\"a\",\"model\":\"pair@11\"}", "model")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}],\"chat_template_kwargs\":[]}", "chat_template_kwargs")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}],\"tools\":[{}]}", "tools")]
    [InlineData("{\"messages\":[{\"role\":\"user\",\"content\":\"b\"}],\"chat_template\":\"x\"}", "chat_template")]
    public async Task What_cannot_be_tokenized_is_refused_by_name(string body, string param)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.PostAsync("/tokenize", body);
        Assert.Equal((400, param), (reply.Status, reply.Param));
    }

    [Fact]
    public async Task An_unknown_model_is_not_found_and_unknown_fields_are_listed()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var (path, body) in ((string, string)[])[("/tokenize", "\"prompt\":\"a\""), ("/detokenize", "\"tokens\":[97]")])
        {
            var unknown = await server.PostAsync(path, "{" + body + ",\"model\":\"other\"}");
            Assert.Equal((404, "model_not_found"), (unknown.Status, unknown.Code));
            Assert.Equal("zzz", (await server.PostAsync(path, "{" + body + ",\"zzz\":1}")).Headers["x-ignored-fields"]);
        }
    }

    [Theory]
    [InlineData("/detokenize")]
    [InlineData("/v1/detokenize")]
    public async Task Tokens_become_the_text_that_they_came_from(string path)
    {
        await using var server = await ServerFixture.StartAsync();
        const string text = "hé 日 🙂";
        var tokens = Tokens(await server.PostAsync("/tokenize", $$"""{"prompt":"{{text}}","add_special_tokens":false}"""));
        var reply = await server.PostAsync(path, JsonSerializer.Serialize(new { tokens }));
        Assert.Equal(text, reply.Json.GetProperty("prompt").GetString());
        Assert.Equal("{\"prompt\":\"<s>h</s>\"}", (await server.PostAsync(path, """{"tokens":[256,104,257]}""")).Body);
        Assert.Equal("{\"prompt\":\"\"}", (await server.PostAsync(path, """{"tokens":[]}""")).Body);
    }

    [Fact]
    public async Task Tokens_outside_the_vocabulary_and_too_many_of_them_are_refused()
    {
        await using var server = await ServerFixture.StartAsync();
        string Many(int count) => "{\"tokens\":[" + string.Join(',', Enumerable.Repeat(97, count)) + "]}";
        Assert.Equal(200, (await server.PostAsync("/detokenize", """{"tokens":[0,257]}""")).Status);
        Assert.Equal(200, (await server.PostAsync("/detokenize", Many(256))).Status);
        foreach (var (body, param) in ((string, string)[])[
            ("{\"tokens\":[97,258]}", "tokens[1]"), ("{\"tokens\":[-1]}", "tokens[0]"), ("{\"tokens\":[1.5]}", "tokens[0]"),
            ("{\"tokens\":\"a\"}", "tokens"), ("{}", "tokens"), (Many(257), "tokens")])
        {
            var reply = await server.PostAsync("/detokenize", body);
            Assert.Equal((400, param), (reply.Status, reply.Param));
        }
    }

    private static int[] Tokens(Reply reply) => [.. reply.Json.GetProperty("tokens").EnumerateArray().Select(token => token.GetInt32())];

    private static string Text(Reply reply) => string.Concat(Tokens(reply).Select(token => (char)token));

    private static Task<ServerFixture> TemplatedAsync()
    {
        using var folder = new TemporaryFolder();
        File.WriteAllText(Path.Combine(folder.Path, "chat_template.jinja"),
            "{{ mark }}{% for m in messages %}({{ m.role }}){{ m.content }}{% endfor %}{% if add_generation_prompt %}(assistant){% endif %}");
        return ServerFixture.StartAsync(chats: ChatTemplate.Load(folder.Path, TimeProvider.System));
    }
}
