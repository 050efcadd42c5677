using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests.Admission;

/// <summary>What the queue takes, refuses and lets go.</summary>
public class AdmissionTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static GenerationRequest Request(int length = 5, int maxTokens = 12, int first = 10) => new()
    {
        PromptTokens = [.. Enumerable.Range(first, length)],
        MaxTokens = maxTokens,
        Strengths = 0.5,
        Seed = 1,
    };

    [Fact]
    public async Task Admission_waits_for_blocks_and_keeps_the_order()
    {
        var first = new List<int>();
        var executor = new ScriptedExecutor(blockCount: 4, contextTokens: 32)
        {
            BeforeStep = plan =>
            {
                Assert.All(plan.Passes, pass => Assert.InRange(pass.Rows.Count, 1, 2));
                foreach (var row in plan.Rows()) if (row is { Position: 0, Model: 0 }) first.Add(row.Tokens.Span[0]);
            },
        };
        using var fixture = new EngineFixture(executor);
        // Each needs 2 of the 4 blocks of 8 tokens, so two fit at once.
        var handles = fixture.Engine.Submit([.. Enumerable.Range(0, 6).Select(i => Request(length: 5, maxTokens: 8, first: 20 * i))]);
        await Drain(handles);
        Assert.Equal([0, 20, 40, 60, 80, 100], first);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task The_lowest_priority_leaves_the_queue_first_and_equal_ones_as_they_came()
    {
        var first = new List<int>();
        using var hold = new ManualResetEventSlim();
        var executor = new ScriptedExecutor
        {
            BeforeStep = plan =>
            {
                hold.Wait(Stop);
                foreach (var row in plan.Rows()) if (row is { Position: 0, Model: 0 }) first.Add(row.Tokens.Span[0]);
            },
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxRunning = 1 });
        int[] priorities = [0, 5, -1, 5, int.MinValue, 0, -1];
        var handles = priorities
            .Select((priority, i) => fixture.Engine.Submit([Request(first: 20 * i) with { Priority = priority }])[0]).ToList();
        hold.Set();
        await Drain(handles);
        // The first may have left before the others came.
        Assert.Equal([80, 40, 120, 0, 100, 20, 60], first[0] == 0 ? [.. first[1..4], 0, .. first[4..]] : first);
    }

    [Fact]
    public async Task A_full_queue_refuses_at_the_door_and_takes_nothing_of_the_request()
    {
        using var hold = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var executor = new ScriptedExecutor { BeforeStep = _ => { entered.Set(); hold.Wait(Stop); } };
        using var fixture = new EngineFixture(executor, options: new EngineOptions
        {
            MaxRunning = 1,
            MaxQueued = 3,
        });
        var running = fixture.Engine.Submit([Request()]);
        entered.Wait(Stop);
        var queued = fixture.Engine.Submit([Request(), Request()]);
        var refused = Assert.Throws<AdmissionException>(() => fixture.Engine.Submit([Request(), Request()]));
        Assert.Equal(AdmissionReason.QueueFull, refused.Reason);
        Assert.Equal(2, fixture.Engine.Status.QueuedSequences);
        hold.Set();
        await Drain(running);
        await Drain(queued);
        Assert.Equal(0, fixture.Engine.Status.QueuedSequences);
    }

    [Fact]
    public async Task Waiting_prompt_tokens_are_bounded_too()
    {
        using var hold = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var executor = new ScriptedExecutor { BeforeStep = _ => { entered.Set(); hold.Wait(Stop); } };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxRunning = 1, MaxQueuedTokens = 9 });
        var running = fixture.Engine.Submit([Request(length: 5)]);
        entered.Wait(Stop);
        var queued = fixture.Engine.Submit([Request(length: 5)]);
        Assert.Equal(AdmissionReason.QueueFull,
            Assert.Throws<AdmissionException>(() => fixture.Engine.Submit([Request(length: 5)])).Reason);
        hold.Set();
        await Drain(running);
        await Drain(queued);
    }

    [Fact]
    public void What_an_empty_queue_could_not_hold_is_refused_for_good()
    {
        using var fixture = new EngineFixture(
            new ScriptedExecutor(), options: new EngineOptions { MaxQueued = 2, MaxQueuedTokens = 9 });
        GenerationRequest[][] tooMuch = [[Request(), Request(), Request()], [Request(length: 10)]];
        Assert.All(tooMuch, sequences => Assert.Equal(AdmissionReason.NeverFits,
            Assert.Throws<AdmissionException>(() => fixture.Engine.Submit(sequences)).Reason));
        Assert.Equal(0, fixture.Engine.Status.QueuedSequences);
    }

    [Fact]
    public async Task A_cancelled_sequence_leaves_the_queue()
    {
        using var hold = new ManualResetEventSlim();
        using var entered = new ManualResetEventSlim();
        var executor = new ScriptedExecutor { BeforeStep = _ => { entered.Set(); hold.Wait(Stop); } };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxRunning = 1 });
        var running = fixture.Engine.Submit([Request()]);
        entered.Wait(Stop);
        var queued = fixture.Engine.Submit([Request(), Request()]);
        queued[0].Cancel();
        hold.Set();
        var events = await queued[0].Events.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal([new SequenceFinished(FinishReason.Cancelled)], events);
        await Drain(running);
        await Drain([queued[1]]);
        Assert.Equal(0, fixture.Engine.Status.QueuedSequences);
    }

    [Fact]
    public async Task A_draining_engine_refuses_new_work_and_finishes_old()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var handles = fixture.Engine.Submit([Request()]);
        fixture.Engine.Drain();
        Assert.Equal(AdmissionReason.Draining,
            Assert.Throws<AdmissionException>(() => fixture.Engine.Submit([Request()])).Reason);
        await Drain(handles);
    }

    private static async Task Drain(IReadOnlyList<GenerationHandle> handles)
    {
        foreach (var handle in handles) await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
    }
}
