using System.Net;
using System.Text;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class ProtocolTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("{\"prompt\":", null)]
    [InlineData("", null)]
    [InlineData("not json", null)]
    [InlineData("[1]", null)]
    [InlineData("\"text\"", null)]
    [InlineData("{\"prompt\":\"a\"} trailing", "prompt")]
    [InlineData("{\"prompt\":\"a\",\"temperature\":Infinity}", "temperature")]
    [InlineData("{\"prompt\":\"a\",}", "prompt")]
    [InlineData("{\"prompt\":\"a\",\"n\":1,\"pr\\u006fmpt\":\"b\"}", "prompt")]
    [InlineData("{\"prompt\":\"a\",\"logit_bias\":{\"5\":1,\"5\":2},\"n\":1}", "logit_bias")]
    [InlineData("{\"prompt\":\"a\",\"n\":1,\"\\ud800\":2,\"n\":2}", null)]
    [InlineData("{\"prompt\":\"a\",\"zzz\":{\"\\ud800\":1,\"a\":2}}", null)]
    public async Task A_body_that_is_no_JSON_object_is_refused(string body, string? param)
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync(body);
        Assert.Equal((400, "invalid_request_error"), (reply.Status, reply.Type));
        if (param is not null) Assert.Equal(param, reply.Param);
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF8_are_refused()
    {
        await using var server = await ServerFixture.StartAsync();
        foreach (var body in (byte[][])[[.. "{\"prompt\":\""u8, 0xFF, 0xFE, .. "\"}"u8], [.. "{\""u8, 0xFF, .. "\":1,\"prompt\":\"a\"}"u8]])
        {
            using var content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } };
            using var response = await server.Http.PostAsync("/v1/completions", content, Stop);
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        }
    }

    [Fact]
    public async Task Nesting_is_bounded()
    {
        await using var server = await ServerFixture.StartAsync();
        var reply = await server.CompleteAsync($$"""{"prompt":"a","x":{{new string('[', 64)}}{{new string(']', 64)}}}""");
        Assert.Equal((400, "x"), (reply.Status, reply.Param));
        Assert.Equal(200, (await server.CompleteAsync(
            $$"""{"prompt":"a","x":{{new string('[', 63)}}{{new string(']', 63)}}}""")).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_body_is_bounded(bool chunked)
    {
        await using var server = await ServerFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new ByteArrayContent(new byte[(4 << 20) + 1]) { Headers = { ContentType = new("application/json") } },
        };
        request.Headers.TransferEncodingChunked = chunked;
        // Waiting for the server's word before the body goes out keeps a refusal from being lost in a broken connection.
        request.Headers.ExpectContinue = true;
        using var response = await server.Http.SendAsync(request, Stop);
        var reply = await Reply.ReadAsync(response);
        Assert.Equal((413, "invalid_request_error"), (reply.Status, reply.Type));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=\"UTF-8\"")]
    public async Task A_body_may_begin_with_the_mark_of_UTF8_and_its_charset_be_quoted(string type)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        using var content = new ByteArrayContent([0xEF, 0xBB, 0xBF, .. "{\"prompt\":\"a\"}"u8]);
        content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await server.Http.PostAsync("/v1/completions", content, Stop);
        Assert.Equal("hi", (await Reply.ReadAsync(response)).Text());
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("text/plain")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("")]
    public async Task Another_media_type_is_refused(string type)
    {
        await using var server = await ServerFixture.StartAsync();
        using var content = new ByteArrayContent("{\"prompt\":\"a\"}"u8.ToArray());
        if (type.Length > 0) content.Headers.TryAddWithoutValidation("Content-Type", type);
        using var response = await server.Http.PostAsync("/v1/completions", content, Stop);
        var reply = await Reply.ReadAsync(response);
        Assert.Equal((415, "invalid_request_error"), (reply.Status, reply.Type));
        Assert.Contains("application/json", reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_compressed_body_is_refused_as_such()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        foreach (var (encoding, status) in ((string, int)[])[("gzip", 415), ("br, gzip", 415), ("identity", 200)])
        {
            using var content = new StringContent("""{"prompt":"a"}""", Encoding.UTF8, "application/json");
            content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
            using var response = await server.Http.PostAsync("/v1/completions", content, Stop);
            var reply = await Reply.ReadAsync(response);
            Assert.Equal(status, reply.Status);
            if (status == 415) Assert.Contains(encoding, reply.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("/v1/models/owner/pair")]
    [InlineData("/v1/models/owner%2Fpair")]
    [InlineData("/v1/models/owner%2fpair")]
    public async Task A_model_whose_name_has_a_slash_is_found_however_the_client_spells_it(string path)
    {
        var executor = new ScriptedExecutor();
        var pair = ServerFixture.Pair(executor, model: "owner/pair");
        await using var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(pair), executor);
        await server.PhaseChangedAsync();
        var reply = await server.GetAsync(path);
        Assert.Equal((200, "owner/pair"), (reply.Status, reply.Json.GetProperty("id").GetString()));
    }

    [Fact]
    public async Task Unknown_paths_and_methods_get_an_error_with_a_body()
    {
        await using var server = await ServerFixture.StartAsync();
        var nowhere = await server.GetAsync("/v1/nothing");
        Assert.Equal((404, "invalid_request_error"), (nowhere.Status, nowhere.Type));
        var method = await server.GetAsync("/v1/completions");
        Assert.Equal((405, "invalid_request_error"), (method.Status, method.Type));
        Assert.Contains("POST", method.Error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal("POST", method.Headers["Allow"]);
    }

    [Fact]
    public async Task Every_answer_has_an_id_of_the_servers_own()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        server.Http.DefaultRequestHeaders.Add("x-request-id", "mine");
        Reply[] replies =
        [
            await server.CompleteAsync("""{"prompt":"a"}"""), await server.CompleteAsync("""{"prompt":"a","stream":true}"""),
            await server.CompleteAsync("{"), await server.GetAsync("/nowhere"), await server.GetAsync("/livez"),
        ];
        Assert.Equal(replies.Length, replies.Select(reply => reply.Headers["x-request-id"]).Distinct().Count());
        Assert.All(replies, reply => Assert.Matches("^[0-9a-f]{32}$", reply.Headers["x-request-id"]));
        Assert.Equal("cmpl-" + replies[0].Headers["x-request-id"], replies[0].Json.GetProperty("id").GetString());
    }

    [Fact]
    public async Task The_pair_and_each_of_its_models_are_listed()
    {
        await using var server = await ServerFixture.StartAsync(aligned: ["helpful", "concise"]);
        var models = new[] { "pair", "pair-reference", "pair-helpful", "pair-concise" }.Select(name =>
            $$"""{"id":"{{name}}","object":"model","created":1728000000,"owned_by":"dera","root":"pair","parent":{{(name == "pair" ? "null" : "\"pair\"")}},"max_model_len":256}""").ToList();
        Assert.Equal("{\"object\":\"list\",\"data\":[" + string.Join(',', models) + "]}", (await server.GetAsync("/v1/models")).Body);
        Assert.Equal(models[0], (await server.GetAsync("/v1/models/pair")).Body);
        Assert.Equal(models[3], (await server.GetAsync("/v1/models/pair-concise")).Body);
        Assert.Equal((404, "model_not_found"),
            ((await server.GetAsync("/v1/models/pair-aligned")) is var other ? other.Status : 0, other.Code));
    }

    [Fact]
    public async Task The_pair_at_a_strength_is_a_model_that_can_be_looked_up()
    {
        await using var server = await ServerFixture.StartAsync();
        var found = await server.GetAsync("/v1/models/pair@0.5");
        Assert.Equal((200, "pair@0.5", "pair"),
            (found.Status, found.Json.GetProperty("id").GetString(), found.Json.GetProperty("parent").GetString()));
        foreach (var name in (string[])["pair@x", "pair@11"])
            Assert.Equal((400, "model"), ((await server.GetAsync("/v1/models/" + name)) is var bad ? bad.Status : 0, bad.Param));
        Assert.Equal(404, (await server.GetAsync("/v1/models/pair-aligned@0.5")).Status);
    }

    [Fact]
    public async Task The_version_is_told()
    {
        await using var server = await ServerFixture.StartAsync();
        Assert.StartsWith("0.", (await server.GetAsync("/version")).Json.GetProperty("version").GetString());
    }

    [Fact]
    public async Task Many_clients_at_once_each_get_their_own_answer()
    {
        await using var server = await ServerFixture.StartAsync();
        string Body(int i, bool stream) =>
            $$"""{"prompt":"{{i}}","seed":{{i}},"lambda":{{i % 4 * 0.5}},"max_tokens":20,"ignore_eos":true,"return_token_ids":true,"stream":{{(stream ? "true" : "false")}}}""";
        var solo = new List<string>();
        for (var i = 0; i < 16; i++) solo.Add((await server.CompleteAsync(Body(i, false))).Choice().GetProperty("token_ids").GetRawText());
        var together = await Task.WhenAll(Enumerable.Range(0, 16).Select(i => server.CompleteAsync(Body(i, true))));
        Assert.Equal(solo, together.Select(reply => "[" + string.Join(',', reply.Events()
            .SelectMany(e => e.GetProperty("choices")[0].GetProperty("token_ids").EnumerateArray()).Select(id => id.GetInt32())) + "]"));
    }
}
