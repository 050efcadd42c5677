using System.Text;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Testing;
using Grpc.Core;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace DeRa.Server.Tests;

public class DeadlineTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static readonly ServerOptions Options = new() { Time = new() { DrainSeconds = 0, RequestTimeoutSeconds = 600 } };

    private static async Task<ServerFixture> StartAsync(ScriptedExecutor executor, TimeProvider time)
    {
        var server = await ServerFixture.StartLoadingAsync((_, _) => Task.FromResult(ServerFixture.Pair(executor,
            new() { MaxRunning = 1, MaxBatchTokens = 16 }, Options.ToRequestLimits(), time)), executor, options: Options);
        await server.PhaseChangedAsync();
        return server;
    }

    [Fact]
    public async Task Before_the_first_byte_it_is_a_408_in_the_batch_and_in_the_queue()
    {
        using var hold = new SemaphoreSlim(0);
        var (executor, time) = (Scripts.Saying("abc"), new FakeTimeProvider());
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await StartAsync(executor, time);
        var running = server.CompleteAsync("""{"prompt":"a"}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        var queued = server.CompleteAsync("""{"prompt":"a","stream":true}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.QueuedSequences == 1);
        time.Advance(TimeSpan.FromSeconds(599));
        Assert.False(running.IsCompleted || queued.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        foreach (var reply in await Task.WhenAll(running, queued))
            Assert.Equal((408, "timeout_error"), (reply.Status, reply.Type));
        executor.BeforeStep = null;
        hold.Release(100);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, QueuedSequences: 0 });
        Assert.Equal("abc", (await server.CompleteAsync("""{"prompt":"a"}""")).Text());
    }

    [Theory]
    [InlineData(""","timeout":5""", 6)]
    [InlineData("", 601)]
    [InlineData(""","timeout":700""", 601)]
    public async Task Of_scores_the_sooner_of_the_request_s_and_the_server_s_counts(string field, int seconds)
    {
        using var hold = new SemaphoreSlim(0);
        var (executor, time) = (Scripts.Saying("abc"), new FakeTimeProvider());
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await StartAsync(executor, time);
        var scores = server.PostAsync("/v1/realignment/score",
            $$"""{"items":[{"prompt":"a","continuation":"b"}],"alignment_sweep":[1]{{field}}}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.RunningSequences == 1);
        time.Advance(TimeSpan.FromSeconds(seconds - 2));
        Assert.False(scores.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(2));
        var reply = await scores;
        Assert.Equal((408, "timeout_error"), (reply.Status, reply.Type));
        executor.BeforeStep = null;
        hold.Release(100);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, QueuedSequences: 0 });
    }

    [Fact]
    public async Task After_the_first_byte_it_is_an_event_that_ends_the_stream()
    {
        var (executor, time) = (Scripts.Endless(), new FakeTimeProvider());
        await using var server = await StartAsync(executor, time);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent("""{"prompt":"a","stream":true,"max_tokens":1000000}""", Encoding.UTF8, "application/json"),
        };
        using var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Stop);
        time.Advance(TimeSpan.FromSeconds(601));
        var last = (await Reply.ReadAsync(response)).Events()[^1];
        Assert.Equal("timeout_error", last.GetProperty("error").GetProperty("type").GetString());
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }

    [Fact]
    public async Task A_gRPC_call_gets_DEADLINE_EXCEEDED()
    {
        var (executor, time) = (Scripts.Endless(), new FakeTimeProvider());
        await using var server = await StartAsync(executor, time);
        using var call = server.Inference.GenerateStream(new GenerateStreamRequest
        {
            Prompt = new Prompt { Text = "a" },
            Options = new GenerationOptions { MaxTokens = 1_000_000 },
        }, cancellationToken: Stop);
        await call.ResponseStream.MoveNext(Stop);
        time.Advance(TimeSpan.FromSeconds(601));
        var fault = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var _ in call.ResponseStream.ReadAllAsync(Stop)) { }
        });
        Assert.Equal(StatusCode.DeadlineExceeded, fault.StatusCode);
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { BlocksInUse: 0, RunningSequences: 0 });
    }
}
