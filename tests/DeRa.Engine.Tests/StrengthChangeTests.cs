using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Strengths that change while tokens flow: each token is drawn from the effective mixture, over all tokens before it.</summary>
public sealed class StrengthChangeTests
{
    private static readonly double[] Strengths = [0, 1, 0.5, 2, -0.5];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1), InlineData(2), InlineData(3)]
    public async Task Every_token_is_that_of_the_effective_mixture(int seed)
    {
        var oracle = new ScriptedExecutor();
        using var fixture = new EngineFixture(new ScriptedExecutor(blockCount: 64), options: new EngineOptions
        {
            MaxRunning = 4,
            MaxBatchTokens = 9,
        });
        var changes = await Task.WhenAll(Enumerable.Range(0, 12).Select(i => RunAsync(fixture, oracle, new Random(100 * seed + i))));
        Assert.True(changes.Sum() > 0);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task Only_the_model_that_lacks_text_reads_it_and_the_others_keep_what_they_have()
    {
        var rows = new List<PassRow>();
        var submitted = new TaskCompletionSource<GenerationHandle>();
        var asked = new Queue<double>([2, 0, 0.5, 1, 2, 0, 1]);
        var steps = 0;
        using var fixture = new EngineFixture(new ScriptedExecutor
        {
            BeforeStep = plan =>
            {
                rows.AddRange(plan.Rows());
                // Every third step, so that each strength runs tokens of its own.
                if (++steps % 3 == 0 && asked.TryDequeue(out var strength)) _ = submitted.Task.Result.ChangeStrengths(strength);
            },
        }, options: new EngineOptions { Speculation = Speculation.Off });
        var handle = fixture.Engine.Submit([Request([1, 2, 3], maxTokens: 40, strength: 1)])[0];
        submitted.SetResult(handle);
        await foreach (var _ in handle.Events.ReadAllAsync(Stop)) { }
        Assert.Empty(asked);
        foreach (var own in rows.GroupBy(row => row.Model))
        {
            var computed = 0;
            foreach (var row in own)
            {
                Assert.Equal(computed, row.Position);
                computed += row.Tokens.Length;
            }
        }
        // The reference reads the prompt late; each reads at once what it had no part in.
        Assert.Contains(rows, row => row is { Model: 0, Position: 0 } && row.Tokens.Length > 3);
        Assert.Contains(rows, row => row is { Model: 1, Position: > 0 } && row.Tokens.Length > 1);
    }

    [Fact]
    public async Task Strengths_that_change_in_every_step_cost_one_reading_by_each_model_and_keep_no_token_waiting()
    {
        const int Prompt = 60, Output = 40;
        var (run, flips) = (0, 0);
        var submitted = new TaskCompletionSource<GenerationHandle>();
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor, options: new EngineOptions { MaxRunning = 4, MaxBatchTokens = 8 });
        executor.BeforeStep = plan =>
        {
            run += plan.Rows().Sum(row => row.Tokens.Length);
            // As fast as a client can: several between two steps, of which the last counts.
            foreach (var _ in Enumerable.Range(0, 3)) submitted.Task.Result.ChangeStrengths(flips++ % 2);
        };
        var request = Request([.. Enumerable.Range(0, Prompt)], Output, strength: 0);
        var handle = fixture.Engine.Submit([request])[0];
        submitted.SetResult(handle);
        var events = await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal(Output, events.Count(happened => happened is TokenGenerated));
        // Each model reads the prompt once and each token once, and a few guesses that are wrong.
        Assert.InRange(run, 2 * Prompt, 2 * Prompt + 4 * Output);
        Assert.InRange(events.Count(happened => happened is StrengthsChanged), 2, 2 * Output);
    }

    [Fact]
    public async Task A_change_is_told_to_the_reader_and_scores_of_the_prompt_come_once()
    {
        using var asking = new ManualResetEventSlim();
        var steps = 0;
        var executor = new ScriptedExecutor();
        // The third step waits for the change, or all could be over before it is asked for.
        executor.BeforeStep = _ =>
        {
            if (++steps == 3) asking.Wait(TimeSpan.FromMinutes(1));
        };
        using var fixture = new EngineFixture(executor);
        using var generation = fixture.Start(new GenerationInput
        {
            Prompts = [new TextPrompt("hello")],
            MaxTokens = 30,
            IgnoreEos = true,
            AlignmentStrength = 0,
            Echo = true,
            LogProbs = 0,
            N = 2,
        });
        var (pieces, asked) = (new List<ChoiceDelta>(), false);
        await foreach (var piece in generation.ReadAsync(Stop))
        {
            pieces.Add(piece);
            if (!asked) generation.ChangeStrengths(fixture.Validator.PrepareStrengths(0.5, null));
            asked = true;
            asking.Set();
        }
        Assert.Equal([0, 1],
            pieces.Where(piece => piece.Strengths is { } changed && changed[0] == 0.5).Select(piece => piece.Index).Order());
        // BOS and five letters, twice.
        Assert.Equal(2 * 6, pieces.Sum(piece => piece.Tokens.Count(token => token.IsPrompt)));
    }

    [Fact]
    public void Strengths_of_a_change_are_checked_as_a_request_s_are()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        var validator = fixture.Validator;
        Assert.Equal(0.5, validator.PrepareStrengths(0.5, null)[0]);
        Assert.Equal(2, validator.PrepareStrengths(null, new Dictionary<string, double> { ["aligned"] = 2 })[0]);
        Assert.Equal("alignment_strength", Assert.Throws<InvalidRequestException>(() => validator.PrepareStrengths(null, null)).Field);
        Assert.Equal("alignment_strength", Assert.Throws<InvalidRequestException>(() => validator.PrepareStrengths(11, null)).Field);
        Assert.Equal("alignment_strengths.other", Assert.Throws<InvalidRequestException>(
            () => validator.PrepareStrengths(null, new Dictionary<string, double> { ["other"] = 1 })).Field);
    }

    /// <summary>Runs a request that changes its strength now and then; returns how often.</summary>
    private static async Task<int> RunAsync(EngineFixture fixture, ScriptedExecutor oracle, Random random)
    {
        var request = Request([.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(256))], maxTokens: 50,
            Strengths[random.Next(Strengths.Length)]) with
        { Seed = random.Next() };
        var handle = fixture.Engine.Submit([request])[0];
        var (tokens, strength, changes) = (request.PromptTokens.ToList(), request.Strengths[0], 0);
        await foreach (var happened in handle.Events.ReadAllAsync(Stop))
        {
            if (happened is StrengthsChanged changed) (strength, changes) = (changed.Strengths[0], changes + 1);
            if (happened is not TokenGenerated generated) continue;
            Assert.Equal(ReferenceSampler.Token(oracle.MixedLogits(tokens.ToArray(), (AlignmentStrengths)strength), new SamplingRow
            {
                Parameters = request.Sampling,
                NoiseKey = GumbelNoise.Key(request.Seed, 0, 0, tokens.Count),
                History = tokens.ToArray(),
                PromptTokens = request.PromptTokens.Count,
            }), generated.Token);
            tokens.Add(generated.Token);
            if (random.Next(4) == 0) _ = handle.ChangeStrengths(Strengths[random.Next(Strengths.Length)]);
        }
        return changes;
    }

    private static GenerationRequest Request(IReadOnlyList<int> prompt, int maxTokens, double strength) =>
        new() { PromptTokens = prompt, MaxTokens = maxTokens, Strengths = strength, Seed = 5 };
}
