using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>What was computed of a text is computed once: how often each model ran what, and what requests are told of it.</summary>
public sealed class PrefixCacheTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static TheoryData<Speculation, int> SpeculationAndTokens() =>
        new MatrixTheoryData<Speculation, int>(Enum.GetValues<Speculation>(), [400, 409, 15]);

    [Theory, MemberData(nameof(SpeculationAndTokens))]
    public async Task Twenty_one_strengths_over_one_prompt_compute_it_once_in_each_model(Speculation speculation, int promptTokens)
    {
        var executor = new ScriptedExecutor(contextTokens: 1024, blockTokens: 16);
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = speculation });
        var prompt = Prompt(promptTokens);
        var handles = fixture.Engine.Submit(
            [.. Enumerable.Range(0, 21).Select(i => Request(prompt, maxTokens: 1) with { Strengths = i / 20.0, ChoiceIndex = i })]);
        await Task.WhenAll(handles.Select(Finished));
        // Each runs the last token itself, for its own logits: 20 strengths for each model, of which one has read it all.
        Assert.Equal([promptTokens + 19, promptTokens + 19], executor.TokensRun);
        // One has read it with the reference model, one with the aligned model.
        Assert.Equal(2, handles.Count(handle => handle.CachedTokens == 0));
        Assert.All(handles.Where(handle => handle.CachedTokens > 0), handle => Assert.Equal(promptTokens - 1, handle.CachedTokens));
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Theory]
    [InlineData(true, 100), InlineData(true, 96), InlineData(false, 100)]
    public async Task A_prompt_that_comes_again_is_not_read_again_unless_nothing_is_kept(bool prefixCache, int promptTokens)
    {
        var executor = new ScriptedExecutor(blockTokens: 16);
        using var fixture = new EngineFixture(executor, options: new EngineOptions { PrefixCache = prefixCache });
        var request = Request(Prompt(promptTokens), maxTokens: 1);
        Assert.Equal(0, await RunAsync(fixture, request));
        Assert.Equal([promptTokens, promptTokens], executor.TokensRun);
        Assert.Equal(prefixCache ? promptTokens - 1 : 0, await RunAsync(fixture, request));
        Assert.Equal(promptTokens + (prefixCache ? 1 : promptTokens), executor.TokensRun[0]);
        // Another end: the full blocks before it are there.
        int[] other = [.. Prompt(promptTokens)[..90], 1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
        Assert.Equal(prefixCache ? 80 : 0, await RunAsync(fixture, request with { PromptTokens = other }));
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task Each_model_is_credited_with_what_it_has_computed_itself()
    {
        var executor = new ScriptedExecutor(blockTokens: 16);
        using var fixture = new EngineFixture(executor);
        var request = Request(Prompt(96), maxTokens: 1);
        await RunAsync(fixture, request with { Strengths = 0 });
        Assert.Equal([96, 0], executor.TokensRun);
        // The aligned model has nothing of it: none of the tokens is there for both.
        Assert.Equal(0, await RunAsync(fixture, request));
        Assert.Equal([97, 96], executor.TokensRun);
        Assert.Equal(95, await RunAsync(fixture, request with { Strengths = 1 }));
        Assert.Equal(95, await RunAsync(fixture, request with { Strengths = 0.3 }));
        Assert.Equal([98, 98], executor.TokensRun);
    }

    [Theory]
    [InlineData(Speculation.On), InlineData(Speculation.Off)]
    public async Task A_conversation_runs_only_its_new_turn(Speculation speculation)
    {
        var executor = new ScriptedExecutor(contextTokens: 2048, blockTokens: 8) { Difference = 0.1 };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = speculation });
        var history = new List<int>(Prompt(50));
        for (var turn = 0; turn < 5; turn++)
        {
            var before = executor.TokensRun.ToArray();
            var tokens = await fixture.RunAsync(Request([.. history], maxTokens: 1), Stop);
            var known = turn == 0 ? 0 : history.Count - 20;
            // At most the block that was not full, and the one whose last token was never run.
            Assert.InRange(executor.TokensRun[0] - before[0], 1, history.Count - known + 2 * 8);
            Assert.InRange(executor.TokensRun[1] - before[1], 1, history.Count - known + 2 * 8);
            var reply = await fixture.RunAsync(Request([.. history], maxTokens: 40), Stop);
            Assert.Equal(tokens[0], reply[0]);
            history.AddRange(reply);
            history.AddRange(Prompt(20));
        }
    }

    [Fact]
    public async Task Another_salt_finds_nothing_and_takes_as_long_as_a_prompt_that_nobody_sent()
    {
        var steps = new List<int>();
        var executor = new ScriptedExecutor(blockTokens: 16) { BeforeStep = plan => steps.Add(plan.CountTokens()) };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        // Only then is it known how long a step is.
        await RunAsync(fixture, Request(Prompt(200)[100..], maxTokens: 3));
        steps.Clear();
        var request = Request(Prompt(100), maxTokens: 3) with { CacheSalt = "one" };
        await RunAsync(fixture, request);
        var first = steps.ToArray();
        foreach (var salt in (string?[])[null, "two", "one "])
        {
            steps.Clear();
            Assert.Equal(0, await RunAsync(fixture, request with { CacheSalt = salt }));
            Assert.Equal(first, steps);
        }
        Assert.Equal(96, await RunAsync(fixture, request));
    }

    [Fact]
    public async Task Prompts_of_other_salts_that_run_at_the_same_time_share_nothing()
    {
        var executor = new ScriptedExecutor(blockTokens: 16);
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        var prompt = Prompt(100);
        var handles = fixture.Engine.Submit(
            [.. Enumerable.Range(0, 4).Select(i => Request(prompt, maxTokens: 1) with { CacheSalt = $"{i / 2}", ChoiceIndex = i })]);
        await Task.WhenAll(handles.Select(Finished));
        Assert.Equal([0, 0, 99, 99], handles.Select(handle => handle.CachedTokens).Order());
        Assert.Equal([202, 202], executor.TokensRun);
    }

    [Fact]
    public async Task A_scored_prompt_is_run_whole_and_what_it_computes_is_there_for_others()
    {
        var executor = new ScriptedExecutor(blockTokens: 16);
        using var fixture = new EngineFixture(executor);
        var request = Request(Prompt(100), maxTokens: 1);
        await RunAsync(fixture, request);
        Assert.Equal(0, await RunAsync(fixture, request with { PromptLogProbs = 0 }));
        Assert.Equal([200, 200], executor.TokensRun);
        var other = request with { PromptTokens = Prompt(200)[100..] };
        await RunAsync(fixture, other with { PromptLogProbs = 0 });
        // Its blocks are known by their tokens once they are full; the rest of its prompt is not.
        Assert.Equal(96, await RunAsync(fixture, other));
    }

    [Fact]
    public async Task What_comes_before_the_scored_tokens_is_taken_from_the_cache()
    {
        var executor = new ScriptedExecutor(blockTokens: 16);
        using var fixture = new EngineFixture(executor);
        var request = Request(Prompt(100), maxTokens: 1);
        await RunAsync(fixture, request);
        var scoring = request with { MaxTokens = 0, Scoring = new PromptScoring(64, [0, .5]) };
        // The token before the first that is scored is run again, and so is its block.
        Assert.Equal(48, await RunAsync(fixture, scoring));
        Assert.Equal([152, 152], executor.TokensRun);
        Assert.Equal(64, await RunAsync(fixture, scoring with { Scoring = new PromptScoring(65, [0, .5]) }));
    }

    [Fact]
    public async Task What_was_used_longest_ago_goes_first_and_the_end_of_a_text_before_its_beginning()
    {
        var executor = new ScriptedExecutor(blockTokens: 8, blockCount: 12);
        using var fixture = new EngineFixture(executor);
        var (old, recent) = (Request(Prompt(48), maxTokens: 1), Request(Prompt(80)[40..], maxTokens: 1));
        await RunAsync(fixture, old);
        await RunAsync(fixture, recent);
        // Six blocks and five are kept; this one takes the free one, and three of the oldest text from its end.
        await RunAsync(fixture, Request(Prompt(200)[170..], maxTokens: 1));
        Assert.Equal(39, await RunAsync(fixture, recent));
        Assert.Equal(24, await RunAsync(fixture, old with { PromptTokens = [.. old.PromptTokens.Take(25)] }));
    }

    [Fact]
    public async Task What_a_request_was_computing_when_it_ended_is_computed_by_those_that_waited_for_it()
    {
        var cancelled = new TaskCompletionSource<GenerationHandle>();
        var steps = 0;
        var executor = new ScriptedExecutor(blockTokens: 8)
        {
            BeforeStep = _ =>
            {
                if (++steps == 2) cancelled.Task.Result.Cancel();
            },
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxBatchTokens = 20, MaxRunning = 4 });
        var prompt = Prompt(100);
        var handles = fixture.Engine.Submit(
            [.. Enumerable.Range(0, 3).Select(i => Request(prompt, maxTokens: 4) with { ChoiceIndex = i })]);
        cancelled.SetResult(handles[0]);
        await Task.WhenAll(handles.Select(Finished));
        // Each prompt token but for the last once, and no block twice but for the one that was being filled.
        Assert.InRange(executor.TokensRun[0], 100, 100 + 8 + 3 * 6);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task What_a_request_that_fails_was_computing_is_computed_by_those_that_waited_for_it()
    {
        var failing = 0;
        var executor = new ScriptedExecutor(blockTokens: 8)
        {
            BeforeStep = plan =>
            {
                if (failing == 0 && plan.Rows().FirstOrDefault(row => row.Position >= 40) is { } reads) failing = reads.Branch;
                if (failing > 0 && plan.Rows().Any(row => row.Branch == failing)) throw new InvalidOperationException("it fails here");
            },
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxBatchTokens = 20, MaxRunning = 4 });
        var prompt = Prompt(100);
        var handles = fixture.Engine.Submit(
            [.. Enumerable.Range(0, 3).Select(i => Request(prompt, maxTokens: 4) with { ChoiceIndex = i })]);
        var ends = await Task.WhenAll(handles.Select(async handle =>
        {
            try
            {
                return await Finished(handle);
            }
            catch (GenerationFailedException)
            {
                return -1;
            }
        }));
        Assert.Equal([-1, 4, 4], ends.Order());
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Theory]
    [InlineData(Speculation.On), InlineData(Speculation.Off)]
    public async Task A_step_that_is_run_again_branch_by_branch_copies_what_it_was_to_copy(Speculation speculation)
    {
        // The rest of the prompt is copied for each choice. Some of them do not run in that step, or nobody could tell.
        var (failures, onlyCopied) = (0, 0);
        var executor = new ScriptedExecutor(blockTokens: 8)
        {
            BeforeStep = plan =>
            {
                var rows = plan.Rows().Select(row => row.Branch).Distinct().ToList();
                if (plan.BlockCopies.Count == 0 || rows.Count < 2) return;
                failures++;
                onlyCopied += plan.BlockCopies.Select(copy => copy.Branch).Except(rows).Count();
                throw new InvalidOperationException("only alone");
            },
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = speculation });
        using var alone = new EngineFixture(new ScriptedExecutor(blockTokens: 8), options: new EngineOptions { PrefixCache = false });
        for (var round = 0; round < 10; round++)
        {
            GenerationRequest[] choices = [.. Enumerable.Range(0, 4).Select(
                i => Request([round, .. Prompt(20)], maxTokens: 12) with { ChoiceIndex = i, Strengths = i / 3.0 })];
            var outputs = await Task.WhenAll(fixture.Engine.Submit(choices).Select(Tokens));
            for (var i = 0; i < 4; i++) Assert.Equal(await alone.RunAsync(choices[i], Stop), outputs[i]);
        }
        Assert.True(failures > 0);
        Assert.Equal(speculation == Speculation.On, onlyCopied > 0);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    internal static int[] Prompt(int tokens)
    {
        var random = new Random(11);
        return [.. Enumerable.Range(0, tokens).Select(_ => random.Next(256))];
    }

    internal static GenerationRequest Request(IReadOnlyList<int> prompt, int maxTokens) =>
        new() { PromptTokens = prompt, MaxTokens = maxTokens, Strengths = 0.5, Seed = 5 };

    /// <summary>Waits for its end.</summary>
    /// <returns>How many tokens it has given.</returns>
    internal static async Task<int> Finished(GenerationHandle handle) => (await Tokens(handle)).Count;

    /// <summary>Waits for its end.</summary>
    internal static async Task<List<int>> Tokens(GenerationHandle handle)
    {
        var tokens = new List<int>();
        await foreach (var happened in handle.Events.ReadAllAsync(Stop))
            if (happened is TokenGenerated generated) tokens.Add(generated.Token);
        return tokens;
    }

    private static async Task<int> RunAsync(EngineFixture fixture, GenerationRequest request)
    {
        var handle = fixture.Engine.Submit([request])[0];
        await Finished(handle);
        return handle.CachedTokens;
    }
}
