using System.Text;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class CompletionsTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_completion_has_the_shape_that_clients_read()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var reply = await server.CompleteAsync("""{"model":"pair","prompt":"Say","max_tokens":10,"alignment_strength":0.5}""");
        Assert.Equal(200, reply.Status);
        Assert.Equal("application/json; charset=utf-8", reply.Headers["Content-Type"]);
        Assert.StartsWith("cmpl-", reply.Json.GetProperty("id").GetString());
        Assert.Equal("text_completion", reply.Json.GetProperty("object").GetString());
        Assert.Equal("pair", reply.Json.GetProperty("model").GetString());
        Assert.Equal(0.5, reply.Json.GetProperty("alignment_strength").GetDouble());
        Assert.Equal("hello", reply.Text());
        Assert.Equal("stop", reply.Choice().GetProperty("finish_reason").GetString());
        Assert.Equal("null", reply.Choice().GetProperty("logprobs").GetRawText());
        Assert.Equal(
            """{"prompt_tokens":4,"completion_tokens":6,"total_tokens":10,"prompt_tokens_details":{"cached_tokens":0}}""",
            reply.Json.GetProperty("usage").GetRawText());
    }

    [Fact]
    public async Task Every_tunable_reaches_the_engine()
    {
        Readout? decision = null;
        var executor = Scripts.Saying("hello");
        executor.BeforeStep = plan => decision ??= plan.Find(readout => readout.Strengths[0] == 1.5);
        await using var server = await ServerFixture.StartAsync(executor);
        var reply = await server.CompleteAsync("""
            {"prompt":"a","lambda":1.5,"max_tokens":3,"temperature":0.7,"top_k":5,"top_p":0.9,"min_p":0.05,"repetition_penalty":1.1,
             "frequency_penalty":0.2,"presence_penalty":-0.3,"logit_bias":{"65":1.5},"seed":42,"user":"someone","ignore_eos":true}
            """);
        Assert.Equal(200, reply.Status);
        Assert.Equal(1.5, reply.Json.GetProperty("alignment_strength").GetDouble());
        var sampling = decision!.Value.Sampling!.Value.Parameters;
        Assert.Equal(
            (0.7f, 5, 0.9f, 0.05f, 1.1f, 0.2f, -0.3f, 1.5f),
            (sampling.Temperature, sampling.TopK, sampling.TopP, sampling.MinP, sampling.RepetitionPenalty,
                sampling.FrequencyPenalty, sampling.PresencePenalty, sampling.LogitBias[65]));
        Assert.Equal(DeRa.Engine.Requests.GumbelNoise.Key(42, 0, 0, 2), decision.Value.Sampling.Value.NoiseKey);
    }

    [Fact]
    public async Task Null_means_not_set()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var reply = await server.CompleteAsync("""
            {"prompt":"a","model":null,"alignment_strength":null,"lambda":null,"max_tokens":null,"temperature":null,"top_k":null,
             "top_p":null,"min_p":null,"stop":null,"seed":null,"n":null,"logprobs":null,"echo":null,"stream":null,"suffix":null,
             "stream_options":null,"logit_bias":null,"ignore_eos":null,"return_token_ids":null,"tools":null,"best_of":null}
            """);
        Assert.Equal(200, reply.Status);
        Assert.Equal(1, reply.Json.GetProperty("alignment_strength").GetDouble());
        Assert.Equal("hello", reply.Text());
    }

    [Fact]
    public async Task Sixteen_tokens_come_where_nothing_is_said()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(new string('x', 40)));
        var reply = await server.CompleteAsync("""{"prompt":"a"}""");
        Assert.Equal(new string('x', 16), reply.Text());
        Assert.Equal("length", reply.Choice().GetProperty("finish_reason").GetString());
        Assert.Equal(3, (await server.CompleteAsync("""{"prompt":"a","max_completion_tokens":3}""")).Text().Length);
    }

    [Fact]
    public async Task Choices_of_several_prompts_come_in_order()
    {
        await using var server = await ServerFixture.StartAsync();
        var reply =
            await server.CompleteAsync(
            """{"prompt":["one","two"],"n":3,"seed":5,"max_tokens":4,"return_token_ids":true,"ignore_eos":true}""");
        Assert.Equal([0, 1, 2, 3, 4, 5], reply.Json.GetProperty("choices").EnumerateArray().Select(c => c.GetProperty("index").GetInt32()));
        var second =
            await server.CompleteAsync("""{"prompt":"two","n":1,"seed":5,"max_tokens":4,"return_token_ids":true,"ignore_eos":true}""");
        Assert.Equal(second.Choice().GetProperty("token_ids").GetRawText(), reply.Choice(3).GetProperty("token_ids").GetRawText());
        Assert.NotEqual(reply.Choice(3).GetProperty("token_ids").GetRawText(), reply.Choice(4).GetProperty("token_ids").GetRawText());
        Assert.Equal(8, reply.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(24, reply.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Token_ids_are_taken_as_they_are()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        var one = await server.CompleteAsync("""{"prompt":[65,66],"echo":true,"return_token_ids":true}""");
        Assert.Equal("ABhi", one.Text());
        Assert.Equal("[104,105,257]", one.Choice().GetProperty("token_ids").GetRawText());
        Assert.Equal(2, one.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt32());
        var two = await server.CompleteAsync("""{"prompt":[[65],[66,67]],"echo":true}""");
        Assert.Equal(["Ahi", "BChi"], [two.Text(0), two.Text(1)]);
    }

    [Theory]
    [InlineData("\"stop\":\"lo\"", "hel")]
    [InlineData("\"stop\":[\"zz\",\"l\"]", "he")]
    [InlineData("\"stop\":[]", "hello")]
    public async Task Stop_strings_end_the_text(string field, string expected)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hello"));
        var reply = await server.CompleteAsync($$"""{"prompt":"a","max_tokens":10,{{field}}}""");
        Assert.Equal(expected, reply.Text());
        Assert.Equal("stop", reply.Choice().GetProperty("finish_reason").GetString());
    }

    [Fact]
    public async Task The_seed_decides_the_tokens_and_the_strength_the_mix()
    {
        await using var server = await ServerFixture.StartAsync();
        async Task<string> Tokens(string more) => (await server.CompleteAsync(
            $$"""{"prompt":"tell","max_tokens":24,"ignore_eos":true,"return_token_ids":true,{{more}}}""")).Choice().GetProperty("token_ids")
                .GetRawText();
        var first = await Tokens("\"seed\":1,\"lambda\":0.5");
        Assert.Equal(first, await Tokens("\"seed\":1,\"alignment_strength\":0.5"));
        Assert.Equal(first, await Tokens("\"seed\":1,\"alignment_strength\":0.5,\"lambda\":0.5"));
        Assert.NotEqual(first, await Tokens("\"seed\":2,\"lambda\":0.5"));
        Assert.NotEqual(first, await Tokens("\"seed\":1,\"lambda\":0"));
        Assert.NotEqual(first, await Tokens("\"seed\":1"));
    }

    [Fact]
    public async Task Text_of_many_bytes_arrives_whole()
    {
        const string text = "naïve 日本語 🦉🏽 \"quoted\" \\ <b>\n\t\u2028";
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(text));
        var reply = await server.CompleteAsync("""{"prompt":"a","max_tokens":100}""");
        Assert.Equal(text, reply.Text());
        Assert.Contains("日本語", reply.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unknown_fields_are_ignored_and_named()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        var reply =
            await server.CompleteAsync("""{"prompt":"a","shiny_thing":1,"bell\r\nwhistle":{"a":[1]},"store":true,"metadata":{"k":"v"}}""");
        Assert.Equal(200, reply.Status);
        Assert.Equal("shiny_thing, bell%0D%0Awhistle", reply.Headers["x-ignored-fields"]);
        Assert.False((await server.CompleteAsync("""{"prompt":"a"}""")).Headers.ContainsKey("x-ignored-fields"));
    }

    [Fact]
    public async Task A_chunked_body_in_pieces_is_read_whole()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StreamContent(new MemoryStream(Encoding.UTF8.GetBytes(
                $$"""{"prompt":"{{new string('p', 200)}}","padding":"{{new string('x', 300_000)}}"}"""))),
        };
        request.Headers.TransferEncodingChunked = true;
        request.Content.Headers.ContentType = new("application/json");
        using var response = await server.Http.SendAsync(request, Stop);
        Assert.Equal("hi", (await Reply.ReadAsync(response)).Text());
    }
}
