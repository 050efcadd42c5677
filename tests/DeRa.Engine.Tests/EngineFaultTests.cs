using System.Collections.Concurrent;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>What would hold up, stop or end everybody's engine.</summary>
public class EngineFaultTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static GenerationRequest Request(int length = 5, int maxTokens = 12) => new()
    {
        PromptTokens = [.. Enumerable.Range(10, Math.Max(0, length))],
        MaxTokens = maxTokens,
        Strengths = 0.5,
        Seed = 1,
    };

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0, 5)]
    [InlineData(5, -1)]
    [InlineData(20, 13)]
    [InlineData(5, int.MaxValue)]
    public async Task A_sequence_that_could_never_run_is_refused_and_holds_up_nobody(int length, int maxTokens)
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(blockCount: 4, contextTokens: 4096));
        Assert.Throws<ArgumentException>(() => fixture.Engine.Submit([Request(), Request(length, maxTokens)]));
        Assert.Equal(0, fixture.Engine.Status.QueuedSequences);
        Assert.Equal(12, (await fixture.RunAsync(Request(length: 20, maxTokens: 12), Stop)).Count);
    }

    [Fact]
    public async Task Sequences_that_are_cancelled_as_soon_as_they_are_submitted_stop_nothing()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor(blockCount: 64), options: new EngineOptions { MaxQueued = 100_000 });
        var handles = new ConcurrentBag<GenerationHandle>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++)
                foreach (var handle in fixture.Engine.Submit([Request(), Request()]))
                {
                    handle.Cancel();
                    handles.Add(handle);
                }
        }, Stop)));
        foreach (var handle in handles)
            await foreach (var _ in handle.Events.ReadAllAsync(Stop)) { }
        Assert.True(fixture.Engine.Status.IsRunning);
        Assert.Equal(12, (await fixture.RunAsync(Request(), Stop)).Count);
        Assert.Equal((0, 0), (fixture.Engine.Status.RunningSequences, fixture.Engine.Status.BlocksInUse));
    }

    [Fact]
    public async Task A_native_library_s_call_stack_is_no_part_of_the_failure()
    {
        var executor = new ScriptedExecutor
        {
            BeforeStep = _ => throw new InvalidOperationException("out of memory\nframe #0: alloc\nframe #1"),
        };
        using var fixture = new EngineFixture(executor);
        var failure = await Assert.ThrowsAsync<GenerationFailedException>(() => fixture.RunAsync(Request(), Stop));
        Assert.Equal("The model failed: out of memory", failure.Message);
    }

    [Fact]
    public async Task An_executor_that_throws_while_it_is_freed_does_not_end_the_process()
    {
        var fixture = new EngineFixture(new UnfreeableExecutor());
        await fixture.RunAsync(Request(), Stop);
        fixture.Dispose();
        Assert.False(fixture.Engine.Status.IsRunning);
    }

    [Fact]
    public async Task A_step_that_hangs_holds_up_a_stop_for_so_long_only()
    {
        using var hold = new SemaphoreSlim(0);
        using var entered = new ManualResetEventSlim();
        var executor = new ScriptedExecutor { BeforeStep = _ => { entered.Set(); hold.Wait(CancellationToken.None); } };
        using var fixture = new EngineFixture(executor);
        var running = fixture.RunAsync(Request(), Stop);
        entered.Wait(Stop);
        Assert.False(fixture.Engine.Stop(TimeSpan.Zero));
        Assert.False(fixture.Engine.Status.IsRunning);
        Assert.False(executor.IsDisposed);
        hold.Release(1000);
        Assert.True(fixture.Engine.Stop(Timeout.InfiniteTimeSpan));
        Assert.True(executor.IsDisposed);
        await Assert.ThrowsAsync<GenerationFailedException>(() => running);
        var status = fixture.Engine.Status;
        Assert.Equal((0, 0, 0), (status.RunningSequences, status.QueuedSequences, status.BlocksInUse));
    }

    [Fact]
    public async Task A_sequence_that_begins_to_run_is_counted_once_at_every_moment()
    {
        using var hold = new SemaphoreSlim(0);
        var executor = new ScriptedExecutor { BeforeStep = _ => hold.Wait(CancellationToken.None) };
        using var fixture = new EngineFixture(executor);
        var handles = fixture.Engine.Submit([.. Enumerable.Range(0, 60).Select(_ => Request(maxTokens: 1))]);
        for (var ended = false; !ended;)
        {
            var status = fixture.Engine.Status;
            Assert.Equal(60, status.RunningSequences + status.QueuedSequences);
            ended = status.QueuedSequences == 0;
        }
        hold.Release(1000);
        foreach (var handle in handles) await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal(0, fixture.Engine.Status.RunningSequences);
    }

    private sealed class UnfreeableExecutor : IStepExecutor
    {
        private readonly ScriptedExecutor _models = new();

        public ExecutorLimits Limits => _models.Limits;

        public StepResult Execute(StepPlan plan) => _models.Execute(plan);

        public void Dispose() => throw new InvalidOperationException("the device is gone");
    }
}
