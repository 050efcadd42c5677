using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Who goes back to the queue where blocks run out, that its text stays as it is, and that everybody ends.</summary>
public sealed class PreemptionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Sixty_four_chats_of_unknown_length_over_a_cache_of_eight_contexts_all_finish()
    {
        var executor = new ScriptedExecutor(contextTokens: 256, blockTokens: 8, blockCount: 8 * 256 / 8);
        using var fixture = new EngineFixture(executor);
        var requests = Enumerable.Range(0, 64).Select(i => PrefixCacheTests.Request(Tokens(i, 10 + i % 30), 256 - 10 - i % 30) with
        {
            Client = $"{i}",
            Seed = i,
            StopTokens = i % 2 == 0 ? new HashSet<int>() : Enumerable.Range(0, 4).ToHashSet(),
        }).ToArray();
        var handles = requests.Select(request => fixture.Engine.Submit([request])[0]).ToArray();
        var outputs = await Task.WhenAll(handles.Select(PrefixCacheTests.Tokens));
        Assert.All(handles, handle => Assert.InRange(handle.Preemptions, 0, 2));
        Assert.True(handles.Sum(handle => handle.Preemptions) > 20);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
        using var alone = new EngineFixture(new ScriptedExecutor());
        for (var i = 0; i < 64; i += 7) Assert.Equal(await alone.RunAsync(requests[i], Stop), outputs[i]);
    }

    [Fact]
    public async Task The_largest_priority_number_goes_back_then_the_last_come_and_never_the_first()
    {
        // Three fit with their prompts; to its end only one and a half.
        var executor = new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 16);
        using var submitted = new ManualResetEventSlim();
        var (handles, order) = (Array.Empty<GenerationHandle>(), new List<int>());
        executor.BeforeStep = _ =>
        {
            submitted.Wait(Stop);
            for (var i = 0; i < handles.Length; i++)
                if (handles[i].Preemptions > 0 && !order.Contains(i)) order.Add(i);
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        int[] priorities = [1, 0, 1, 2];
        handles = [.. priorities.Select((priority, i) => fixture.Engine.Submit(
            [PrefixCacheTests.Request(Tokens(i, 16), 80) with { Priority = priority, Seed = i }])[0])];
        submitted.Set();
        Assert.Equal([80, 80, 80, 80], (await Task.WhenAll(handles.Select(PrefixCacheTests.Tokens))).Select(output => output.Count));
        Assert.Equal([3, 2, 0], order);
        Assert.Equal(0, handles[1].Preemptions);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task What_goes_back_keeps_its_tokens_and_draws_none_again()
    {
        var decided = new Dictionary<int, List<int>>();
        var executor = new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 16)
        {
            BeforeStep = plan =>
            {
                foreach (var readout in plan.Readouts)
                {
                    if (!decided.TryGetValue(readout.Branch, out var own)) decided.Add(readout.Branch, own = []);
                    own.Add(readout.Sampling!.Value.History.Length);
                }
            },
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        var handles = Enumerable.Range(0, 3).Select(i => fixture.Engine.Submit(
            [PrefixCacheTests.Request(Tokens(i, 16), 70) with { Strengths = i, Seed = i }])[0]).ToArray();
        await Task.WhenAll(handles.Select(PrefixCacheTests.Tokens));
        Assert.True(handles.Sum(handle => handle.Preemptions) > 0);
        Assert.All(decided.Values, own => Assert.Equal(Enumerable.Range(16, 70), own));
    }

    [Fact]
    public async Task Tokens_that_are_appended_take_blocks_as_others_do()
    {
        using var submitted = new ManualResetEventSlim();
        var (steps, handles) = (0, Array.Empty<GenerationHandle>());
        var executor = new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 13);
        executor.BeforeStep = _ =>
        {
            submitted.Wait(Stop);
            // 16 tokens of a prompt and 8 more fill three blocks; what follows needs five.
            if (++steps == 12)
                foreach (var handle in handles) handle.Append(Tokens(7, 40));
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        handles = [.. Enumerable.Range(0, 3).Select(i => fixture.Engine.Submit([PrefixCacheTests.Request(Tokens(i, 16), 80)])[0])];
        submitted.Set();
        foreach (var output in await Task.WhenAll(handles.Select(PrefixCacheTests.Tokens)))
        {
            Assert.Equal(80, output.Count);
            Assert.Equal(Tokens(7, 40), output.SkipWhile(token => token != Tokens(7, 1)[0]).Take(40));
        }
        Assert.True(handles.Sum(handle => handle.Preemptions) > 0);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task A_sequence_that_is_cancelled_after_it_went_back_leaves_the_queue()
    {
        var executor = new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 16);
        using var fixture = new EngineFixture(executor);
        var handles = Enumerable.Range(0, 8).Select(i => fixture.Engine.Submit([PrefixCacheTests.Request(Tokens(i, 16), 80)])[0]).ToArray();
        executor.BeforeStep = _ =>
        {
            foreach (var handle in handles)
                if (handle.Preemptions == 1) handle.Cancel();
        };
        await Task.WhenAll(handles.Select(PrefixCacheTests.Tokens));
        var status = fixture.Engine.Status;
        Assert.Equal((0, 0, 0), (status.QueuedSequences, status.RunningSequences, status.BlocksInUse));
        await fixture.RunAsync(PrefixCacheTests.Request(Tokens(0, 16), 80), Stop);
    }

    [Fact]
    public async Task Sequences_that_wait_for_each_other_run_and_go_back_as_one()
    {
        var together = new List<int>();
        var executor = new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 36);
        var group = new List<int>();
        executor.BeforeStep = plan => together.Add(plan.Readouts.Select(readout => readout.Branch).Intersect(group).Count());
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        var prompt = Tokens(1, 16);
        var first = Enumerable.Range(0, 2).Select(
            i => fixture.Engine.Submit([PrefixCacheTests.Request(Tokens(20 + i, 16), 80)])[0]).ToArray();
        // Branches are numbered in the order in which they come.
        group.AddRange([3, 4, 5]);
        var handles = fixture.Engine.Submit(
            [.. Enumerable.Range(0, 3).Select(i => PrefixCacheTests.Request(prompt, 80) with { ChoiceIndex = i })], hasBarrier: true);
        Assert.All(await Task.WhenAll(handles.Concat(first).Select(PrefixCacheTests.Tokens)), output => Assert.Equal(80, output.Count));
        Assert.True(handles[0].Preemptions > 0);
        // The first reads the prompt for the others, and so is a step ahead of them.
        Assert.InRange(together.Count(count => count is 1 or 2), 0, 2 * (1 + handles[0].Preemptions));
        Assert.True(together.Count(count => count == 3) > 60);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public void Sequences_that_wait_for_each_other_and_could_never_all_run_are_refused()
    {
        using var fixture = new EngineFixture(
            new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 30), options: new EngineOptions { MaxRunning = 4 });
        var prompt = Tokens(1, 48);
        GenerationRequest[] Sequences(int count, int maxTokens) =>
            [.. Enumerable.Range(0, count).Select(i => PrefixCacheTests.Request(prompt, maxTokens) with { ChoiceIndex = i })];
        // 12 blocks, and 7 for each other: of the prompt's six, five are shared.
        Assert.Equal(3, fixture.Engine.Submit(Sequences(3, 48), hasBarrier: true).Count);
        var refused = Assert.Throws<AdmissionException>(() => fixture.Engine.Submit(Sequences(4, 48), hasBarrier: true));
        Assert.Equal(AdmissionReason.NeverFits, refused.Reason);
        Assert.Contains("33 cache blocks", refused.Message);
        Assert.Throws<AdmissionException>(() => fixture.Engine.Submit(Sequences(5, 1), hasBarrier: true));
        Assert.Equal(5, fixture.Engine.Submit(Sequences(5, 48)).Count);
    }

    private static int[] Tokens(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(256))];
    }
}
