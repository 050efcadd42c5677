using DeRa.Engine;
using Xunit;

namespace DeRa.Server.Tests.Http;

/// <summary>What the bounded queue takes, and what clients hear of the rest.</summary>
public class QueueTests
{
    [Fact]
    public async Task What_an_empty_queue_could_not_hold_is_not_worth_another_try()
    {
        await using var server = await ServerFixture.StartAsync(Scripts.Saying("fine"), new EngineOptions { MaxQueued = 4 });
        await RefusalTests.RefusedAsync(server, "/v1/completions", """{"prompt":["a","b"],"n":3,"max_tokens":1}""", "n", "queue holds 4");
    }

    [Fact]
    public async Task A_full_queue_refuses_and_says_when_to_come_back()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = Scripts.Saying("abc");
        executor.BeforeStep = _ => hold.Wait(executor.TestOver);
        await using var server = await ServerFixture.StartAsync(executor,
            new EngineOptions { MaxRunning = 1, MaxBatchTokens = 16, MaxQueued = 1 });
        var running = server.CompleteAsync("""{"prompt":"a"}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status is { RunningSequences: 1, QueuedSequences: 0 });
        var queued = server.CompleteAsync("""{"prompt":"a"}""");
        await ServerFixture.EventuallyAsync(() => server.Engine.Status.QueuedSequences == 1);
        foreach (var stream in (string[])["true", "false"])
        {
            var refused = await server.CompleteAsync($$"""{"prompt":"a","stream":{{stream}}}""");
            Assert.Equal((503, "overloaded_error"), (refused.Status, refused.Type));
            Assert.Equal("1", refused.Headers["Retry-After"]);
        }
        hold.Release(1000);
        Assert.Equal(["abc", "abc"], [(await running).Text(), (await queued).Text()]);
        Assert.Equal(200, (await server.CompleteAsync("""{"prompt":"a"}""")).Status);
    }
}
