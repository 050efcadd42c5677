using DeRa.Engine.Branches;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Clients share the engine alike, whatever each asks for.</summary>
public sealed class FairnessTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Speculation.Off), InlineData(Speculation.On)]
    public async Task Beside_64_long_sequences_another_client_has_its_first_token_within_a_few_steps(Speculation speculation)
    {
        var (steps, busy) = (0, new TaskCompletionSource());
        var executor = new ScriptedExecutor(contextTokens: 600, blockTokens: 16, blockCount: 64 * 20);
        executor.BeforeStep = plan =>
        {
            if (++steps == 200) busy.SetResult();
            // As slow as it must be for the other request to come meanwhile.
            if (steps >= 200) Thread.Sleep(1);
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = speculation });
        var greedy = fixture.Engine.Submit([.. Enumerable.Range(0, 128).Select(
            i => PrefixCacheTests.Request(PrefixCacheTests.Prompt(30), 500) with { ChoiceIndex = i, Client = "greedy" })]);
        await busy.Task.WaitAsync(Stop);
        var before = Volatile.Read(ref steps);
        var other = fixture.Engine.Submit([PrefixCacheTests.Request([1, 2, 3, 4, 5, 6, 7, 8], 8) with { Client = "other" }])[0];
        await other.Events.WaitToReadAsync(Stop);
        // The step under way, one for each model, and what the reader missed.
        Assert.InRange(steps - before, 1, 8);
        Assert.Equal(8, await PrefixCacheTests.Finished(other));
        Assert.InRange(greedy.Count(handle => handle.Preemptions == 1), 1, 1);
        foreach (var handle in greedy) handle.Cancel();
    }

    [Fact]
    public async Task A_client_that_came_later_does_not_wait_for_all_that_another_has_queued()
    {
        using var submitted = new ManualResetEventSlim();
        var executor = new ScriptedExecutor { BeforeStep = _ => submitted.Wait(Stop) };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxRunning = 1, Speculation = Speculation.Off });
        GenerationHandle[] Submit(string client) => [.. fixture.Engine.Submit([.. Enumerable.Range(0, 6).Select(
            i => PrefixCacheTests.Request([client[0], i, 3, 4], 20) with { Client = client })])];
        var (first, second) = (Submit("a"), Submit("b"));
        submitted.Set();
        await Task.WhenAll(first.Concat(second).Select(PrefixCacheTests.Finished));
        // They take turns, since each is charged what was run for it.
        for (var i = 0; i < 5; i++)
        {
            Assert.True(second[i].Timestamps.Admitted < first[i + 1].Timestamps.Ended);
            Assert.True(first[i].Timestamps.Admitted < second[i + 1].Timestamps.Admitted);
        }
    }

    [Fact]
    public async Task A_client_that_holds_more_than_its_share_of_the_cache_makes_room_for_another()
    {
        var (steps, submitted) = (0, new ManualResetEventSlim());
        var executor = new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 16);
        var (started, prompt) = (new ManualResetEventSlim(), PrefixCacheTests.Prompt(120));
        executor.BeforeStep = _ =>
        {
            started.Set();
            if (++steps > 1) submitted.Wait(Stop);
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        // Twelve of sixteen blocks; the other needs three, and one must be left for each that runs.
        var greedy = fixture.Engine.Submit([.. Enumerable.Range(0, 2).Select(
            i => PrefixCacheTests.Request(prompt[(48 * i)..(48 * i + 48)], 40) with { Client = "greedy" })]);
        started.Wait(Stop);
        var other = fixture.Engine.Submit([PrefixCacheTests.Request(prompt[..20].Reverse().ToArray(), 4) with { Client = "other" }])[0];
        submitted.Set();
        await Task.WhenAll(greedy.Append(other).Select(PrefixCacheTests.Finished));
        Assert.Equal(0, greedy[0].Preemptions);
        Assert.True(greedy[1].Preemptions > 0);
        Assert.All(greedy, handle => Assert.True(other.Timestamps.Ended < handle.Timestamps.Ended));
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task A_long_prompt_leaves_others_their_share_of_each_step()
    {
        var rows = new List<(int Branch, int Tokens)>();
        var executor = new ScriptedExecutor(contextTokens: 2048, blockTokens: 16);
        executor.BeforeStep = plan => rows.AddRange(
            plan.Rows().Where(row => row.Model == 0).Select(row => (row.Branch, row.Tokens.Length)));
        using var fixture = new EngineFixture(executor, options: new EngineOptions
        {
            MaxBatchTokens = 64,
            Speculation = Speculation.Off,
            // Longer than anything here takes: tokens bound the step.
            MaxStepMilliseconds = 60_000,
        });
        var ready = new ManualResetEventSlim();
        executor.BeforeStep += _ => ready.Wait(Stop);
        var handles = new[] { 2000, 400, 20 }.Select((tokens, i) => fixture.Engine.Submit(
            [PrefixCacheTests.Request([.. Enumerable.Repeat(i, tokens)], 1) with { Client = $"{i}" }])[0]).ToArray();
        ready.Set();
        await Task.WhenAll(handles.Select(PrefixCacheTests.Finished));
        // The first step had begun with what was there. Then each has a third, and what one leaves goes to the oldest.
        var third = rows.FindIndex(row => row.Branch == 3);
        Assert.InRange(third, 1, 4);
        Assert.Equal(20, rows.Where(row => row.Branch == 3).Take(1).Sum(row => row.Tokens));
        var second = rows.Where(row => row.Branch == 2).ToList();
        Assert.InRange(second.Count, 400 / 64, 400 / 21 + 1);
    }

    [Fact]
    public void The_client_for_whom_least_was_done_is_next_and_nobody_saves_up()
    {
        var queue = new FairQueue();
        var (a1, a2) = (Unit("a"), Unit("a"));
        queue.Enqueue(a1);
        queue.Enqueue(a2);
        a1.Client.ChargedTokens = 100;
        var b = Unit("b");
        queue.Enqueue(b);
        // b was not there while a was served: it begins where a is, and a came first.
        Assert.Equal(100, b.Client.ChargedTokens);
        Assert.Same(a1, queue.Peek());
        a1.Client.ChargedTokens = 101;
        Assert.Same(b, queue.Peek());
        queue.Remove(b);
        Assert.Same(a1, queue.Peek());
        queue.Remove(a1);
        queue.Remove(a2);
        queue.Ended(a1.Client);
        queue.Ended(b.Client);
        Assert.Equal((0, 0), (queue.Count, queue.ActiveClients));
        // Whoever comes while nobody is there begins where the last was: what a has had does not count against it for ever.
        var c = Unit("c");
        queue.Enqueue(c);
        Assert.Equal(100, c.Client.ChargedTokens);
        var again = Unit("a");
        queue.Enqueue(again);
        Assert.Equal(101, again.Client.ChargedTokens);
        Assert.Same(c, queue.Peek());
    }

    [Fact]
    public void Within_a_client_priority_decides_then_who_came_first()
    {
        var queue = new FairQueue();
        SchedulingUnit[] units = [Unit("a", 1), Unit("a", 0), Unit("a", 0), Unit("a", -1)];
        foreach (var unit in units) queue.Enqueue(unit);
        var order = new List<int>();
        while (queue.Peek() is { } next)
        {
            order.Add(Array.IndexOf(units, next));
            queue.Remove(next);
        }
        Assert.Equal([3, 1, 2, 0], order);
        // What comes back has its old place.
        queue.Enqueue(units[2]);
        queue.Enqueue(Unit("a"));
        queue.Enqueue(units[1]);
        Assert.Same(units[1], queue.Peek());
    }

    [Fact]
    public void Many_clients_that_come_and_go_are_forgotten_but_for_those_who_had_most()
    {
        var queue = new FairQueue();
        var heavy = Unit("heavy");
        queue.Enqueue(heavy);
        heavy.Client.ChargedTokens = 1_000_000;
        var stays = Unit("stays");
        queue.Enqueue(stays);
        stays.Client.ChargedTokens = 5;
        queue.Remove(heavy);
        queue.Ended(heavy.Client);
        for (var i = 0; i < 3000; i++)
        {
            var unit = Unit($"{i}");
            queue.Enqueue(unit);
            queue.Remove(unit);
            queue.Ended(unit.Client);
        }
        Assert.InRange(queue.KnownClients, 500, 1100);
        var again = Unit("heavy");
        queue.Enqueue(again);
        Assert.Equal(1_000_000, again.Client.ChargedTokens);
    }

    [Fact]
    public async Task A_long_prompt_is_read_in_steps_no_longer_than_they_may_be_while_another_client_gets_its_tokens()
    {
        var (clock, steps) = (new StepTime(), new List<(int Prompt, int Tokens)>());
        using var submitted = new ManualResetEventSlim();
        var executor = new ScriptedExecutor(contextTokens: 2048, blockTokens: 16);
        executor.BeforeStep = plan =>
        {
            submitted.Wait(Stop);
            // Five milliseconds a token.
            clock.Advance(TimeSpan.FromMilliseconds(5 * plan.CountTokens()));
            var prompt = plan.Rows().Where(row => row.Branch == 2).Sum(row => row.Tokens.Length);
            if (prompt > 1) steps.Add((prompt, plan.CountTokens()));
        };
        using var fixture = new EngineFixture(executor, time: clock, options: new EngineOptions
        {
            MaxBatchTokens = 2048,
            MaxStepMilliseconds = 200,
            Speculation = Speculation.Off,
        });
        var talks = fixture.Engine.Submit([PrefixCacheTests.Request([1, 2, 3], 200) with { Client = "talks" }])[0];
        var reads = fixture.Engine.Submit([PrefixCacheTests.Request(PrefixCacheTests.Prompt(1500), 1) with { Client = "reads" }])[0];
        submitted.Set();
        await Task.WhenAll(PrefixCacheTests.Finished(talks), PrefixCacheTests.Finished(reads));
        // 200 ms are 40 tokens in both models' passes; before a step was measured, 128 are.
        Assert.All(steps.Skip(1), step => Assert.InRange(step.Tokens, 1, 40));
        Assert.True(steps.Count > 2 * 1500 / 40 - 5);
    }

    [Fact]
    public void Steps_that_read_prompts_are_as_long_as_they_may_be()
    {
        var length = new StepLength(TimeSpan.FromMilliseconds(200));
        Assert.Equal(128, length.Tokens);
        for (var i = 0; i < 20; i++) length.Learn(100, TimeSpan.FromMilliseconds(100));
        Assert.Equal(200, length.Tokens);
        for (var i = 0; i < 40; i++) length.Learn(100, TimeSpan.FromMilliseconds(400));
        Assert.InRange(length.Tokens, 49, 51);
        // One step that was held up changes little.
        length.Learn(100, TimeSpan.FromMilliseconds(800));
        Assert.InRange(length.Tokens, 35, 50);
    }

    private static SchedulingUnit Unit(string client, int priority = 0) => new(new Branch(
        1, PrefixCacheTests.Request([1], 1) with { Client = client, Priority = priority }, modelCount: 2, new BranchClock(0)));

    /// <summary>A clock that moves when a step does.</summary>
    private sealed class StepTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Interlocked.Read(ref _ticks);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
    }
}
