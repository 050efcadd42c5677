using Xunit;

namespace DeRa.Server.Tests.Http;

public class ChatTests
{
    [Fact]
    public async Task An_answer_has_the_shape_that_clients_read()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(" Hello."));
        var reply = await server.ChatAsync("""
            {"messages":[{"role":"system","content":"Be brief."},{"role":"user","name":"ann","content":[{"type":"text","text":"Hi"}]}],
             "temperature":0,"max_completion_tokens":20,"alignment_strength":2,"user":"u","tools":[],"tool_choice":"auto","modalities":["text"]}
            """);
        Assert.Equal(200, reply.Status);
        Assert.StartsWith("chatcmpl-", reply.Json.GetProperty("id").GetString());
        Assert.Equal("chat.completion", reply.Json.GetProperty("object").GetString());
        Assert.Equal(2, reply.Json.GetProperty("alignment_strength").GetDouble());
        Assert.Equal("""{"role":"assistant","content":" Hello.","refusal":null}""", reply.Choice().GetProperty("message").GetRawText());
        Assert.Equal("null", reply.Choice().GetProperty("logprobs").GetRawText());
        Assert.Equal("stop", reply.Choice().GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task Text_parts_are_joined_and_developer_speaks_as_system()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("ok"));
        async Task<int> PromptTokens(string messages) => (await server.ChatAsync($$"""{"messages":{{messages}}}"""))
            .Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32();
        Assert.Equal(
            await PromptTokens("""[{"role":"system","content":"ab"},{"role":"user","content":"cd"}]"""),
            await PromptTokens("""[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":"cd"}]"""));
    }

    [Fact]
    public async Task An_earlier_answer_may_be_sent_back_as_it_came()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("ok"));
        var reply = await server.ChatAsync("""
            {"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","refusal":null,"annotations":[],"tool_calls":null},
             {"role":"user","content":"c"}]}
            """);
        Assert.Equal("ok", reply.Text());
    }

    [Fact]
    public async Task A_stream_begins_with_the_role_and_ends_with_an_empty_delta()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hé"));
        var events = (await server.ChatAsync("""
            {"messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"include_usage":true},"lambda":0.25}
            """)).Events();
        Assert.Equal(
        [
            """{"role":"assistant","content":""}""", """{"content":"h"}""", """{"content":"é"}""", "{}",
        ], events.SkipLast(1).Select(e => e.GetProperty("choices")[0].GetProperty("delta").GetRawText()));
        Assert.Equal("stop", events[^2].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.All(events.SkipLast(1), e => Assert.Equal("null", e.GetProperty("usage").GetRawText()));
        Assert.Equal("[]", events[^1].GetProperty("choices").GetRawText());
        Assert.Equal(4, events[^1].GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        Assert.All(events, e =>
        {
            Assert.Equal("chat.completion.chunk", e.GetProperty("object").GetString());
            Assert.Equal(0.25, e.GetProperty("alignment_strength").GetDouble());
            Assert.Equal(events[0].GetProperty("id").GetString(), e.GetProperty("id").GetString());
            Assert.Equal(events[0].GetProperty("created").GetInt64(), e.GetProperty("created").GetInt64());
        });
    }

    [Fact]
    public async Task Each_choice_of_a_stream_begins_and_ends_once()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("abc"));
        var choices =
            (await server.ChatAsync("""{"messages":[{"role":"user","content":"x"}],"stream":true,"n":3,"return_token_ids":true}"""))
            .Events().Select(e => e.GetProperty("choices")[0]).ToList();
        for (var i = 0; i < 3; i++)
        {
            var mine = choices.Where(choice => choice.GetProperty("index").GetInt32() == i).ToList();
            Assert.Equal("assistant", mine[0].GetProperty("delta").GetProperty("role").GetString());
            Assert.Equal("abc",
                string.Concat(mine.Skip(1).SkipLast(1).Select(c => c.GetProperty("delta").GetProperty("content").GetString())));
            Assert.Equal("[97,98,99,257]", "[" + string.Join(',', mine.Skip(1).SkipLast(1)
                .SelectMany(c => c.GetProperty("token_ids").EnumerateArray()).Select(id => id.GetInt32())) + "]");
            Assert.Single(mine, choice => choice.GetProperty("finish_reason").GetString() == "stop");
        }
    }

    [Fact]
    public async Task The_answer_may_be_as_long_as_the_context_leaves()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(new string('x', 1000)));
        var reply = await server.ChatAsync("""{"messages":[{"role":"user","content":"x"}]}""");
        Assert.Equal(256, reply.Json.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Equal("length", reply.Choice().GetProperty("finish_reason").GetString());
    }
}
