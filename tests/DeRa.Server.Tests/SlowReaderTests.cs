using System.Net.Sockets;
using System.Text;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests;

public class SlowReaderTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static async Task<ServerFixture> StartAsync(ScriptedExecutor executor, TimeProvider time, LogCollector logs)
    {
        var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(executor)), executor, logs,
            new ServerOptions { Time = new() { DrainSeconds = 0, SlowReaderSeconds = 60 } }, time: time);
        await server.PhaseChangedAsync();
        return server;
    }

    /// <summary>However far the client's buffers reach, time passes until a piece has waited for a minute.</summary>
    private static Task DroppedAsync(ServerFixture server, FakeTimeProvider time) => ServerFixture.EventuallyAsync(() =>
    {
        time.Advance(TimeSpan.FromSeconds(61));
        return server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 };
    });

    [Fact]
    public async Task A_client_that_does_not_read_its_stream_is_disconnected_and_frees_its_blocks()
    {
        using var logs = new LogCollector();
        var (executor, time) = (Scripts.Endless(), new FakeTimeProvider());
        await using var server = await StartAsync(executor, time, logs);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync("127.0.0.1", server.Http.BaseAddress!.Port, Stop);
        const string body = """{"prompt":"a","max_tokens":1000000,"stream":true}""";
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            $"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"), Stop);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        await DroppedAsync(server, time);
        Assert.Contains(logs.Lines, line => line.Contains("is disconnected", StringComparison.Ordinal));
        Assert.DoesNotContain(logs.Lines, line =>
            line.Contains("An unhandled exception was thrown by the application", StringComparison.Ordinal));
        Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a","max_tokens":3}""")).Status);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_gRPC_client_that_does_not_read_is_disconnected_and_frees_its_blocks(bool converses)
    {
        using var logs = new LogCollector();
        var (executor, time) = (Scripts.Endless(), new FakeTimeProvider());
        await using var server = await StartAsync(executor, time, logs);
        var (prompt, options) = (new Prompt { Text = "a" }, new GenerationOptions { MaxTokens = 1_000_000 });
        using var converse = converses ? server.Inference.Converse(cancellationToken: Stop) : null;
        using var call = converses ? null
            : server.Inference.GenerateStream(new GenerateStreamRequest { Prompt = prompt, Options = options }, cancellationToken: Stop);
        if (converse is not null)
            await converse.RequestStream.WriteAsync(new() { Start = new ConverseStart { Prompt = prompt, Options = options } }, Stop);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        await DroppedAsync(server, time);
        Assert.Contains(logs.Lines, line => line.Contains("is disconnected", StringComparison.Ordinal));
        Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a","max_tokens":3}""")).Status);
    }
}
