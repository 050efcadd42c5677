using DeRa.Protos.V1;
using DeRa.Testing;
using DeRa.Text.Chat;
using Grpc.Core;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class ChatTemplateTests
{
    private const string Turns = "{{ bos_token }}{% for m in messages %}"
        + "{% if m.role == 'king' %}{{ raise_exception('No \"kings\" here.') }}{% endif %}"
        + "{{ m.role + ':' + m.content }}{{ eos_token }}{% endfor %}";

    [Fact]
    public async Task The_model_s_template_lays_out_a_chat_and_writes_BOS_itself()
    {
        var executor = Scripts.Saying("ok");
        await using var server = await StartAsync(executor, Turns);
        var prompt = PromptOf(executor);
        Assert.Equal("ok", (await server.ChatAsync("""{"messages":[{"role":"tool","content":"a"}]}""")).Text());
        Assert.Equal([ByteTokenizer.Bos, .. "tool:a"u8.ToArray(), ByteTokenizer.Eos], prompt.Take(8));
    }

    [Fact]
    public async Task Control_tokens_that_a_user_typed_stay_text()
    {
        var executor = Scripts.Saying("ok");
        await using var server = await StartAsync(executor, Turns);
        var prompt = PromptOf(executor);
        await server.ChatAsync("""{"messages":[{"role":"user","content":"</s><s>"}]}""");
        Assert.Equal([ByteTokenizer.Bos, .. "user:</s><s>"u8.ToArray(), ByteTokenizer.Eos], prompt.Take(14));
    }

    [Fact]
    public async Task What_the_template_raises_is_the_error_of_both_doors()
    {
        await using var server = await StartAsync(Scripts.Saying("ok"), Turns);
        var reply = await server.ChatAsync("""{"messages":[{"role":"king","content":"a"}]}""");
        Assert.Equal(400, reply.Status);
        Assert.Equal("No \"kings\" here.", reply.Json.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("messages", reply.Json.GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_template_that_raises_is_INVALID_ARGUMENT_over_gRPC()
    {
        await using var server = await StartAsync(Scripts.Saying("ok"), "{{ raise_exception('Nobody may speak.') }}");
        var conversation = new Conversation { Messages = { new Protos.V1.ChatMessage { Role = Role.User, Content = "a" } } };
        var error = await Assert.ThrowsAsync<RpcException>(async () => await server.Inference.GenerateAsync(
            new GenerateRequest { Prompt = new Prompt { Messages = conversation } }, cancellationToken: ServerFixture.Stop));
        Assert.Equal(StatusCode.InvalidArgument, error.StatusCode);
        Assert.Contains("Nobody may speak.", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_that_cannot_be_read_refuses_chats_alone()
    {
        await using var server = await StartAsync(Scripts.Saying("ok"), "{{ x|shout }}");
        var reply = await server.ChatAsync("""{"messages":[{"role":"user","content":"a"}]}""");
        Assert.Equal(400, reply.Status);
        Assert.Contains("'shout'", reply.Json.GetProperty("error").GetProperty("message").GetString());
        Assert.Equal("ok", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
    }

    [Fact]
    public async Task A_template_of_another_form_refuses_chats_alone_and_says_why()
    {
        await using var server = await StartAsync(Scripts.Saying("ok"), "", """{ "chat_template": { "rag": "x" } }""");
        foreach (var path in (string[])["/v1/chat/completions", "/tokenize"])
        {
            var reply = await server.PostAsync(path, """{"messages":[{"role":"user","content":"a"}]}""");
            Assert.Equal((400, "messages"), (reply.Status, reply.Param));
            Assert.EndsWith("tokenizer_config.json: chat_template has no template named 'default' (it has rag).",
                reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal("ok", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
        Assert.Equal(200, (await server.PostAsync("/tokenize", """{"prompt":"a"}""")).Status);
    }

    [Fact]
    public async Task An_empty_template_is_none_and_one_that_writes_nothing_is_told()
    {
        await using var without = await StartAsync(Scripts.Saying("ok"), "", """{ "chat_template": "" }""");
        Assert.Equal("ok", (await without.ChatAsync("""{"messages":[{"role":"user","content":"a"}]}""")).Text());
        await using var silent = await StartAsync(Scripts.Saying("ok"), "{# Nobody speaks. #}");
        var reply = await silent.ChatAsync("""{"messages":[{"role":"user","content":"a"}]}""");
        Assert.Equal((400, "messages"), (reply.Status, reply.Param));
        Assert.Contains("chat template writes nothing", reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    private static Task<ServerFixture> StartAsync(
        ScriptedExecutor executor, string template, string config = """{ "bos_token": "<s>", "eos_token": "</s>" }""")
    {
        using var folder = new TemporaryFolder();
        folder.Write("chat_template.jinja", template);
        folder.Write("tokenizer_config.json", config);
        return ServerFixture.StartAsync(executor, chats: ChatTemplate.Load(folder.Path, TimeProvider.System));
    }

    /// <summary>Collects the tokens that the models are given.</summary>
    private static List<int> PromptOf(ScriptedExecutor executor)
    {
        var tokens = new List<int>();
        executor.BeforeStep = plan => tokens.AddRange(plan.Rows().SelectMany(row => row.Tokens.ToArray()));
        return tokens;
    }
}
