using System.Net.Sockets;
using System.Text;
using DeRa.Testing;
using Xunit;

namespace DeRa.Server.Tests.Http;

public class StreamTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_bytes_of_a_stream_are_as_clients_expect_them()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        var reply =
            await server.CompleteAsync(
            """{"prompt":"a","stream":true,"stream_options":{"include_usage":true},"alignment_strength":0.5,"seed":7}""");
        Assert.Equal("text/event-stream; charset=utf-8", reply.Headers["Content-Type"]);
        Assert.Equal("no-cache", reply.Headers["Cache-Control"]);
        Assert.Equal("no", reply.Headers["X-Accel-Buffering"]);
        var id = reply.Events()[0].GetProperty("id").GetString();
        var created = reply.Events()[0].GetProperty("created").GetInt64();
        var head = $$"""{"id":"{{id}}","object":"text_completion","created":{{created}},"model":"pair","alignment_strength":0.5,"seed":7,"choices":""";
        Assert.Equal(
            $$"""data: {{First(head, reply)}}[{"index":0,"text":"h","logprobs":null,"finish_reason":null}],"usage":null}""" + "\n\n" +
            $$"""data: {{head}}[{"index":0,"text":"i","logprobs":null,"finish_reason":null}],"usage":null}""" + "\n\n" +
            $$"""data: {{head}}[{"index":0,"text":"","logprobs":null,"finish_reason":"stop","stop_reason":null}],"usage":null}""" + "\n\n" +
            "data: " + head + """[],"usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,""" +
            "\"prompt_tokens_details\":{\"cached_tokens\":0}}}\n\n" +
            "data: [DONE]\n\n", reply.Body);
    }

    private static string First(string head, Reply reply) => head.Replace("\"model\":\"pair\",",
        $"\"model\":\"pair\",\"generation_id\":\"{reply.Headers["x-generation-id"]}\",", StringComparison.Ordinal);

    [Fact]
    public async Task A_stream_says_nothing_of_usage_unless_asked()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("hi"));
        foreach (var options in (string[])["", ",\"stream_options\":{}", ",\"stream_options\":{\"include_usage\":false}"])
            Assert.DoesNotContain("usage", (await server.CompleteAsync($$"""{"prompt":"a","stream":true{{options}}}""")).Body,
                StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("naïve 日本語 🦉🏽 fin", "")]
    [InlineData("one STOP two", ",\"stop\":[\"STOP\"]")]
    [InlineData("one STO", ",\"stop\":[\"STOP\"]")]
    [InlineData("日本語の本", ",\"stop\":[\"の\"]")]
    public async Task A_stream_gives_the_text_of_the_whole_answer_and_no_part_of_a_character(string says, string more)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying(says));
        var whole = await server.CompleteAsync($$"""{"prompt":"a","max_tokens":64{{more}}}""");
        var pieces = (await server.CompleteAsync($$"""{"prompt":"a","max_tokens":64,"stream":true{{more}}}""")).Events()
            .Select(e => e.GetProperty("choices")[0].GetProperty("text").GetString()!).ToList();
        Assert.Equal(whole.Text(), string.Concat(pieces));
        Assert.All(pieces, piece => Assert.DoesNotContain('\uFFFD', piece));
        Assert.All(pieces, piece => Assert.False(piece.Length > 0 && (char.IsLowSurrogate(piece[0]) || char.IsHighSurrogate(piece[^1]))));
        if (more.Length > 0) Assert.DoesNotContain("STOP", string.Concat(pieces), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_after_the_first_byte_becomes_an_event_and_ends_the_stream()
    {
        var executor = Scripts.Saying("abcdef");
        executor.ReadoutError = readout => readout.Sampling!.Value.History.Length >= 5 ? "logits are not finite" : null;
        await using var server = await ServerFixture.StartAsync(executor);
        var reply = await server.CompleteAsync("""{"prompt":"a","stream":true}""");
        Assert.Equal(200, reply.Status);
        var error = reply.Events()[^1].GetProperty("error");
        Assert.Equal(["message", "type", "param", "code"], error.EnumerateObject().Select(entry => entry.Name));
        Assert.Equal("server_error", error.GetProperty("type").GetString());
        Assert.Contains(reply.Headers["x-request-id"], error.GetProperty("message").GetString(), StringComparison.Ordinal);
        executor.ReadoutError = null;
        Assert.Equal("abcdef", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
    }

    [Fact]
    public async Task A_fault_before_the_first_byte_is_a_status()
    {
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => throw new InvalidOperationException("out of memory at 0xSECRET");
        await using var server = await ServerFixture.StartAsync(executor);
        foreach (var stream in (string[])["true", "false"])
        {
            var reply = await server.CompleteAsync($$"""{"prompt":"a","stream":{{stream}}}""");
            Assert.Equal((500, "server_error"), (reply.Status, reply.Type));
            Assert.DoesNotContain("SECRET", reply.Body, StringComparison.Ordinal);
        }
        executor.BeforeStep = null;
        Assert.Equal("abc", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
        Assert.Equal(0, server.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task The_first_piece_arrives_while_the_engine_still_works()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = plan =>
        {
            if (plan.Rows().Any(row => row.Position > 1)) hold.Wait(executor.TestOver);
        };
        await using var server = await ServerFixture.StartAsync(executor);
        using var request = Request("""{"prompt":"a","stream":true}""");
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
        Assert.Contains("\"text\":\"a\"", await reader.ReadLineAsync(Stop), StringComparison.Ordinal);
        hold.Release(100);
        Assert.EndsWith("data: [DONE]\n\n", await reader.ReadToEndAsync(Stop), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_goes_away_frees_its_blocks(bool stream)
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var request = Request($$"""{"prompt":"a","max_tokens":1000000,"n":2,"stream":{{(stream ? "true" : "false")}}}""");
        var sending = server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, gone.Token);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 2);
        Assert.True(server.Engine.Status.BlocksInUse > 0);
        if (stream)
        {
            using var response = await sending;
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Stop));
            await reader.ReadLineAsync(Stop);
        }
        await gone.CancelAsync();
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
        Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a","max_tokens":3}""")).Status);
    }

    [Fact]
    public async Task A_client_that_goes_away_in_the_queue_leaves_it()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor, new() { MaxRunning = 1, MaxBatchTokens = 16 });
        var running = server.CompleteAsync("""{"prompt":"a"}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { RunningSequences: 1 });
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        using var request = Request("""{"prompt":"b"}""");
        var queued = server.Http.SendAsync(request, gone.Token);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.QueuedSequences == 1);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        hold.Release(100);
        Assert.Equal("abc", (await running).Text());
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { QueuedSequences: 0, BlocksInUse: 0 });
    }

    [Fact]
    public async Task A_client_that_drops_the_connection_without_a_word_frees_its_blocks()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Endless());
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync("127.0.0.1", server.Http.BaseAddress!.Port, Stop);
            const string body = """{"prompt":"a","max_tokens":1000000,"stream":true}""";
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), Stop);
            await socket.GetStream().ReadExactlyAsync(new byte[100], Stop);
        }
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }

    private static HttpRequestMessage Request(string json) => new(HttpMethod.Post, "/v1/completions")
    {
        Content = new StringContent(json, Encoding.UTF8, "application/json"),
    };
}
