using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

public class EngineTests
{
    private static readonly CancellationToken Stop = TestContext.Current.CancellationToken;

    private static GenerationRequest Request(
        int length = 5, int maxTokens = 12, double strength = 0.5, long seed = 1, int first = 10) =>
        new()
        {
            PromptTokens = [.. Enumerable.Range(first, length)],
            MaxTokens = maxTokens,
            Strengths = strength,
            Seed = seed,
        };

    [Fact]
    public async Task A_sequence_generates_its_tokens_and_frees_its_blocks()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        Assert.Equal(12, (await fixture.RunAsync(Request(), Stop)).Count);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task Strength_seed_and_choice_each_change_the_tokens()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var runs = new List<string>();
        foreach (var request in new[]
        {
            Request(), Request(strength: 0), Request(strength: 1), Request(seed: 2), Request() with { ChoiceIndex = 1 },
        }) runs.Add(string.Join(',', await fixture.RunAsync(request, Stop)));
        Assert.Equal(runs.Count, runs.Distinct().Count());
        Assert.Equal(runs[0], string.Join(',', await fixture.RunAsync(Request(), Stop)));
    }

    [Fact]
    public async Task Strengths_0_and_1_run_one_model_only()
    {
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor);
        await fixture.RunAsync(Request(strength: 0), Stop);
        Assert.Equal([12, 0], executor.RowsRun);
        await fixture.RunAsync(Request(strength: 1), Stop);
        Assert.Equal([12, 12], executor.RowsRun);
    }

    [Fact]
    public async Task A_prompt_is_read_in_chunks_within_the_token_budget()
    {
        var rows = new List<int>();
        var executor = new ScriptedExecutor { BeforeStep = plan => rows.AddRange(plan.Passes.Select(Tokens)) };
        using var fixture = new EngineFixture(
            executor, options: new EngineOptions { MaxBatchTokens = 7, MaxRunning = 2, Speculation = Speculation.Off });
        var chunked = await fixture.RunAsync(Request(length: 20, maxTokens: 2), Stop);
        Assert.Equal([7, 7, 7, 7, 6, 6, 1, 1], rows);
        using var whole = new EngineFixture(new ScriptedExecutor());
        Assert.Equal(await whole.RunAsync(Request(length: 20, maxTokens: 2), Stop), chunked);
    }

    [Fact]
    public async Task Each_token_is_the_one_that_seed_choice_and_position_draw()
    {
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor);
        var request = Request(seed: 1L << 40) with { ChoiceIndex = 2 };
        int[] tokens = [.. request.PromptTokens, .. await fixture.RunAsync(request, Stop)];
        for (var position = request.PromptTokens.Count; position < tokens.Length; position++)
            Assert.Equal(tokens[position], ReferenceSampler.Token(
                executor.MixedLogits(tokens.AsSpan(0, position), request.Strengths), new SamplingRow
                {
                    Parameters = request.Sampling,
                    NoiseKey = GumbelNoise.Key(1L << 40, 2, 0, position),
                    History = tokens.AsMemory(0, position),
                    PromptTokens = request.PromptTokens.Count,
                }));
    }

    [Fact]
    public async Task A_sequence_that_decodes_advances_in_every_step_however_long_the_prompts_beside_it()
    {
        var advanced = new List<bool>();
        var executor = new ScriptedExecutor
        {
            BeforeStep = plan =>
            {
                Assert.All(plan.Passes, pass => Assert.InRange(Tokens(pass), 1, 8));
                advanced.Add(plan.Readouts.Any(readout => readout.Sampling is { PromptTokens: 5 }));
            },
        };
        using var fixture = new EngineFixture(
            executor, options: new EngineOptions { MaxBatchTokens = 8, MaxRunning = 4, Speculation = Speculation.Off });
        await Drain(fixture.Engine.Submit(
            [Request(length: 100, maxTokens: 1), Request(length: 5, maxTokens: 20), Request(length: 100, maxTokens: 1)]));
        var first = advanced.IndexOf(true);
        Assert.Equal(20, advanced.Count(step => step));
        Assert.All(advanced.Skip(first).Take(20), Assert.True);
    }

    [Fact]
    public async Task A_stop_token_ends_the_sequence_and_is_reported()
    {
        var executor = new ScriptedExecutor { Script = readout => readout.Sampling!.Value.History.Length == 9 ? 99 : null };
        using var fixture = new EngineFixture(executor);
        var handle = fixture.Engine.Submit([Request() with { StopTokens = new HashSet<int> { 99 } }])[0];
        var events = await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal(FinishReason.Stop, Assert.IsType<SequenceFinished>(events[^1]).Reason);
        Assert.Equal(99, Assert.IsType<TokenGenerated>(events[^2]).Token);
        Assert.Equal(6, events.Count);
    }

    [Fact]
    public async Task A_prompt_is_scored_without_generating()
    {
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxBatchTokens = 4, MaxRunning = 4 });
        var request = Request(length: 10) with { MaxTokens = 0, PromptLogProbs = 2 };
        var events = await fixture.Engine.Submit([request])[0].Events.ReadAllAsync(Stop).ToListAsync(Stop);
        var scores = Assert.IsType<PromptScored>(events[0]).LogProbs;
        Assert.Equal(Enumerable.Range(11, 9), scores.Select(score => score.Token));
        for (var i = 0; i < scores.Count; i++)
        {
            var logits = executor.MixedLogits(request.PromptTokens.Take(i + 1).ToArray(), 0.5);
            Assert.Equal(logits[scores[i].Token] - Math.Log(logits.Sum(logit => Math.Exp(logit))), scores[i].LogProb, 1e-4);
            Assert.Equal(2, scores[i].Top.Count);
        }
        Assert.Equal(FinishReason.Length, Assert.IsType<SequenceFinished>(events[^1]).Reason);
        Assert.Equal(2, events.Count);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(6, 4)]
    [InlineData(23, 64)]
    public async Task Tokens_are_scored_at_many_strengths_from_one_on(int firstToken, int batchTokens)
    {
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxBatchTokens = batchTokens, MaxRunning = 4 });
        AlignmentStrengths[] strengths = [0, .3, 1, 2];
        var request = Request(length: 24) with { MaxTokens = 0, Scoring = new PromptScoring(firstToken, strengths) };
        var events = await fixture.Engine.Submit([request])[0].Events.ReadAllAsync(Stop).ToListAsync(Stop);
        var scores = Assert.IsType<StrengthsScored>(events[0]).Tokens;
        Assert.Equal(request.PromptTokens.Skip(firstToken), scores.Select(score => score.Token));
        for (var i = 0; i < scores.Count; i++)
            for (var s = 0; s < strengths.Length; s++)
            {
                var logits = executor.MixedLogits(request.PromptTokens.Take(firstToken + i).ToArray(), strengths[s]);
                Assert.Equal(ReferenceSampler.LogProbs(logits)[scores[i].Token], scores[i].LogProbs[s], 1e-6);
            }
        // Once for all strengths.
        Assert.Equal([24, 24], executor.TokensRun);
        Assert.Equal(FinishReason.Length, Assert.IsType<SequenceFinished>(events[^1]).Reason);
        Assert.Equal(2, events.Count);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public void What_cannot_be_scored_is_refused()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var request = Request(length: 10) with { MaxTokens = 0, Scoring = new PromptScoring(1, [.5]) };
        GenerationRequest[] wrong =
        [
            request with { Scoring = new PromptScoring(0, [.5]) }, request with { Scoring = new PromptScoring(10, [.5]) },
            request with { Scoring = new PromptScoring(1, []) }, request with { MaxTokens = 1 }, request with { PromptLogProbs = 0 },
            request with { Strengths = 1, Scoring = new PromptScoring(1, [.5]) },
        ];
        Assert.All(wrong, one => Assert.Contains("cannot be scored",
            Assert.Throws<ArgumentException>(() => fixture.Engine.Submit([one])).Message));
    }

    [Fact]
    public async Task A_cancelled_sequence_frees_its_blocks_and_the_others_go_on()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var solo = await fixture.RunAsync(Request(maxTokens: 60), Stop);
        var handles = fixture.Engine.Submit([Request(maxTokens: 200), Request(maxTokens: 60)]);
        await handles[0].Events.ReadAsync(Stop);
        handles[0].Cancel();
        var cancelled = await handles[0].Events.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal(FinishReason.Cancelled, Assert.IsType<SequenceFinished>(cancelled[^1]).Reason);
        var other = await handles[1].Events.ReadAllAsync(Stop).OfType<TokenGenerated>().Select(t => t.Token).ToListAsync(Stop);
        Assert.Equal(solo, other);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task A_step_that_throws_fails_only_the_rows_that_throw_alone()
    {
        var executor = new ScriptedExecutor
        {
            BeforeStep = plan =>
            {
                if (plan.Readouts.Any(readout => readout.Sampling is { History.Length: 9 } s && s.History.Span[0] == 66))
                    throw new InvalidOperationException("kernel fault");
            },
        };
        using var fixture = new EngineFixture(executor);
        var solo = await fixture.RunAsync(Request(), Stop);
        var handles = fixture.Engine.Submit([Request(), Request(first: 66), Request()]);
        var failure = await Assert.ThrowsAsync<GenerationFailedException>(
            async () => await handles[1].Events.ReadAllAsync(Stop).ToListAsync(Stop));
        Assert.Contains("kernel fault", failure.Message);
        foreach (var healthy in new[] { handles[0], handles[2] })
            Assert.Equal(solo, await healthy.Events.ReadAllAsync(Stop).OfType<TokenGenerated>().Select(t => t.Token).ToListAsync(Stop));
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task A_row_that_reports_an_error_fails_alone()
    {
        var executor = new ScriptedExecutor
        {
            ReadoutError = readout =>
                readout.Strengths[0] == 3 && readout.Sampling!.Value.History.Length > 7 ? "logits are not finite" : null,
        };
        using var fixture = new EngineFixture(executor);
        var handles = fixture.Engine.Submit([Request(strength: 3), Request()]);
        await Assert.ThrowsAsync<GenerationFailedException>(async () => await Drain([handles[0]]));
        await Drain([handles[1]]);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task Disposing_ends_what_runs_and_waits_and_frees_the_executor()
    {
        var executor = new ScriptedExecutor(contextTokens: 4096);
        var fixture = new EngineFixture(executor, options: new EngineOptions { MaxRunning = 1 });
        var handles = fixture.Engine.Submit([Request(maxTokens: 4000), Request()]);
        await handles[0].Events.ReadAsync(Stop);
        fixture.Dispose();
        Assert.True(executor.IsDisposed);
        foreach (var handle in handles)
            await Assert.ThrowsAsync<GenerationFailedException>(async () => await Drain([handle]));
        Assert.Equal((0, false), (fixture.Engine.Status.BlocksInUse, fixture.Engine.Status.IsRunning));
        Assert.Equal(AdmissionReason.Stopped,
            Assert.Throws<AdmissionException>(() => fixture.Engine.Submit([Request()])).Reason);
    }

    [Theory]
    [InlineData(0, 512, "MaxRunning")]
    [InlineData(64, 63, "MaxBatchTokens")]
    public void Options_out_of_range_are_refused_by_name(int running, int tokens, string name) =>
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(
            () => new EngineOptions { MaxRunning = running, MaxBatchTokens = tokens }.Validated()).ParamName);

    private static int Tokens(ModelPass pass) => pass.Rows.Sum(row => row.Tokens.Length);

    private static async Task Drain(IReadOnlyList<GenerationHandle> handles)
    {
        foreach (var handle in handles) await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
    }
}
