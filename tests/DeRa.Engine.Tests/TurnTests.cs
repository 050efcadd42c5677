using System.Diagnostics.Metrics;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>The models take turns: what it costs, and what happens when something goes wrong in one.</summary>
public sealed class TurnTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static GenerationRequest Request(
        AlignmentStrengths strengths, int maxTokens = 60, long seed = 1, int first = 10) => new()
        {
            PromptTokens = [.. Enumerable.Range(first, 5)],
            MaxTokens = maxTokens,
            Strengths = strengths,
            Seed = seed,
        };

    private static EngineOptions Options(Speculation speculation) => new() { Speculation = speculation };

    [Theory]
    [InlineData(0, 1, 1), InlineData(1, 1, 1), InlineData(0.5, 1.01, 1.35), InlineData(1.5, 1.01, 1.5)]
    public async Task In_turns_a_token_costs_a_pass_and_a_bit_and_at_the_ends_just_one(double strength, double least, double most)
    {
        var passes = await PassesAsync(new ScriptedExecutor { Difference = 0.1 }, Speculation.On, Request(strength, maxTokens: 200));
        Assert.InRange(passes / 200.0, least, most);
    }

    [Fact]
    public async Task Without_guesses_a_token_costs_a_pass_of_each_active_model()
    {
        Assert.Equal(120, await PassesAsync(new ScriptedExecutor { Difference = 0.1 }, Speculation.Off, Request(0.5)));
        Assert.Equal(120, await PassesAsync(
            new ScriptedExecutor { Difference = 0.1 }, Speculation.On, Request(0.5) with { Speculation = false }));
    }

    [Fact]
    public async Task Guesses_of_three_models_save_more_than_half_of_the_passes_where_they_agree()
    {
        ScriptedExecutor Three() => new(
            runners: [new([0], "cpu"), new([1], "cpu"), new([2], "cpu")])
        { Difference = 0.02 };
        var strengths = new AlignmentStrengths(0.5, 0.3);
        var plain = await PassesAsync(Three(), Speculation.Off, Request(strengths, maxTokens: 100));
        Assert.Equal(300, plain);
        Assert.InRange(await PassesAsync(Three(), Speculation.On, Request(strengths, maxTokens: 100)), 100, 150);
    }

    [Fact]
    public async Task Text_that_repeats_itself_costs_less_than_one_model_s_passes()
    {
        int[] verse = [3, 1, 4, 1, 5, 9, 2, 6];
        var executor = new ScriptedExecutor
        {
            // Goes on with the verse whatever the models say.
            Script = readout => verse[readout.Sampling!.Value.History.Length % verse.Length],
        };
        var request = Request(0.5, maxTokens: 80) with { PromptTokens = verse };
        Assert.InRange(await PassesAsync(executor, Speculation.On, request), 30, 60);
    }

    [Fact]
    public async Task Adapters_over_one_base_share_a_pass_and_take_no_turns()
    {
        var executor = new ScriptedExecutor(runners: [new([0, 1], "cpu")]) { Difference = 0.1 };
        executor.BeforeStep = plan => Assert.All(plan.Rows(), row => Assert.Empty(row.KeptSlots));
        Assert.Equal(60, await PassesAsync(executor, Speculation.On, Request(0.5)));
    }

    [Fact]
    public async Task Models_on_different_devices_run_in_the_same_steps()
    {
        var executor = new ScriptedExecutor(runners: [new([0], "cuda:0"), new([1], "cuda:1")]) { Difference = 0.1 };
        executor.BeforeStep = plan => Assert.Equal(2, plan.Passes.Count);
        Assert.Equal(120, await PassesAsync(executor, Speculation.On, Request(0.5)));
    }

    [Fact]
    public async Task The_batch_takes_turns_together()
    {
        var rows = new List<int>();
        var executor = new ScriptedExecutor { Difference = 0.1 };
        using var hold = new ManualResetEventSlim();
        executor.BeforeStep = plan =>
        {
            hold.Wait(Stop);
            Assert.Single(plan.Passes);
            rows.Add(plan.Passes[0].Rows.Count);
        };
        using var fixture = new EngineFixture(executor, options: Options(Speculation.On));
        var handles = fixture.Engine.Submit([.. Enumerable.Range(0, 8).Select(i => Request(0.5, seed: i, first: 20 * i))]);
        hold.Set();
        foreach (var handle in handles) await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        // Those that were submitted together are all in each pass, until the first of them ends.
        Assert.All(rows.Take(60), count => Assert.Equal(8, count));
    }

    [Theory]
    [InlineData(0), InlineData(1)]
    public async Task A_model_whose_pass_throws_fails_that_branch_only_in_whatever_phase_of_a_turn(int model)
    {
        for (var length = 5; length < 15; length++)
        {
            var executor = new ScriptedExecutor { Difference = 0.2 };
            using var fixture = new EngineFixture(executor, options: Options(Speculation.On));
            var solo = await fixture.RunAsync(Request(0.5), Stop);
            var victim = -1;
            executor.BeforeStep = plan =>
            {
                foreach (var row in plan.Rows())
                    if (row.Position == 0 && row.Tokens.Span[0] == 100) victim = row.Branch;
                if (plan.Rows().Any(row => row.Model == model && row.Branch == victim && row.Position + row.Tokens.Length >= length))
                    throw new InvalidOperationException("kernel fault");
            };
            var handles = fixture.Engine.Submit([Request(0.5), Request(0.5, first: 100), Request(0.5)]);
            await Assert.ThrowsAsync<GenerationFailedException>(
                async () => await handles[1].Events.ReadAllAsync(Stop).ToListAsync(Stop));
            Assert.Equal(solo, await TokensAsync(handles[0]));
            Assert.Equal(solo, await TokensAsync(handles[2]));
            Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
        }
    }

    [Fact]
    public async Task Logits_that_are_not_finite_fail_the_branch_where_it_is_decided_and_a_guess_of_them_nobody()
    {
        var executor = new ScriptedExecutor { Difference = 0.2 };
        using var fixture = new EngineFixture(executor, options: Options(Speculation.On));
        var solo = await fixture.RunAsync(Request(0.5), Stop);
        executor.ReadoutError = readout => readout.Sources.Any(source => !source.IsKnown) ? "logits are not finite" : null;
        Assert.Equal(solo, await fixture.RunAsync(Request(0.5), Stop));
        executor.ReadoutError = readout =>
            readout.Sampling!.Value.History is { Length: > 10 } history && history.Span[0] == 100 ? "NaN" : null;
        var handles = fixture.Engine.Submit([Request(0.5), Request(0.5, first: 100)]);
        await Assert.ThrowsAsync<GenerationFailedException>(async () => await TokensAsync(handles[1]));
        Assert.Equal(solo, await TokensAsync(handles[0]));
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task A_cancel_in_any_phase_of_a_turn_leaves_the_others_unharmed_and_no_block_behind()
    {
        for (var step = 1; step < 14; step++)
        {
            var (steps, cancelAt) = (0, int.MaxValue);
            var submitted = new TaskCompletionSource<GenerationHandle>();
            var executor = new ScriptedExecutor { Difference = 0.2 };
            executor.BeforeStep = _ =>
            {
                if (++steps == cancelAt) submitted.Task.Result.Cancel(FinishReason.Stop);
            };
            using var fixture = new EngineFixture(executor, options: Options(Speculation.On));
            var solo = await fixture.RunAsync(Request(0.5), Stop);
            cancelAt = steps + step;
            var handles = fixture.Engine.Submit([Request(0.5), Request(0.5, first: 100), Request(0.5)]);
            submitted.SetResult(handles[1]);
            var cancelled = await handles[1].Events.ReadAllAsync(Stop).ToListAsync(Stop);
            Assert.Equal(FinishReason.Stop, Assert.IsType<SequenceFinished>(cancelled[^1]).Reason);
            Assert.InRange(cancelled.Count, 1, 15);
            Assert.Equal(solo, await TokensAsync(handles[0]));
            Assert.Equal(solo, await TokensAsync(handles[2]));
            Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
        }
    }

    [Fact]
    public async Task Tokens_that_are_appended_stand_as_if_they_had_been_drawn()
    {
        var submitted = new TaskCompletionSource<GenerationHandle>();
        var (steps, executor) = (0, new ScriptedExecutor { Difference = 0.2 });
        executor.BeforeStep = _ =>
        {
            if (++steps == 6) submitted.Task.Result.Append([7, 8, 9]);
        };
        using var fixture = new EngineFixture(executor, options: Options(Speculation.On));
        var request = Request(0.5, maxTokens: 30);
        var handle = fixture.Engine.Submit([request])[0];
        submitted.SetResult(handle);
        Assert.Throws<ArgumentOutOfRangeException>(() => handle.Append([258]));
        var tokens = await TokensAsync(handle);
        Assert.Equal(30, tokens.Count);
        var at = Enumerable.Range(0, 28).Single(i => tokens.Skip(i).Take(3).SequenceEqual([7, 8, 9]));
        for (var i = 0; i < tokens.Count; i++)
            if (i < at || i >= at + 3) Assert.Equal(Token(executor, request, tokens.Take(i), stream: 0), tokens[i]);
        Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
    }

    [Fact]
    public async Task Passes_a_token_and_guesses_are_measured()
    {
        var (passes, drafts) = (new List<(double, object?)>(), new Dictionary<string, long>());
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == EngineTelemetry.Name) listening.EnableMeasurementEvents(instrument);
            },
        };
        using var fixture = new EngineFixture(
            new ScriptedExecutor { Difference = 0.1 }, options: Options(Speculation.On) with { ModelName = nameof(TurnTests) });
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) =>
        {
            if (instrument.Name == "dera.passes_per_token" && IsOurs(tags)) passes.Add((value, Tag(tags, "alignment_strength")));
        });
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Name.Contains("spec_decode") && IsOurs(tags))
                drafts[instrument.Name] = drafts.GetValueOrDefault(instrument.Name) + value;
        });
        listener.Start();
        foreach (var strength in (double[])[0, 0.5, 1, 2, -0.5]) await fixture.RunAsync(Request(strength), Stop);
        Assert.Equal(["0", "0-1", "1", ">1", "<0"], passes.Select(pair => pair.Item2));
        Assert.Equal((1, 1), (passes[0].Item1, passes[2].Item1));
        Assert.InRange(passes[1].Item1, 1.01, 1.4);
        var (made, right) = (drafts["vllm.spec_decode_num_draft_tokens"], drafts["vllm.spec_decode_num_accepted_tokens"]);
        Assert.InRange(right, made / 2, made - 1);
        Assert.InRange(drafts["vllm.spec_decode_num_drafts"], 100, made);

        static object? Tag(ReadOnlySpan<KeyValuePair<string, object?>> tags, string name)
        {
            foreach (var (key, value) in tags)
                if (key == name) return value;
            return null;
        }

        static bool IsOurs(ReadOnlySpan<KeyValuePair<string, object?>> tags) => Tag(tags, "model_name") is nameof(TurnTests);
    }

    /// <summary>Runs a request alone; returns the passes of steps that ran its last token or a guess, with the prompt's one each.</summary>
    private static async Task<int> PassesAsync(ScriptedExecutor executor, Speculation speculation, GenerationRequest request)
    {
        var (passes, before) = (0, executor.BeforeStep);
        executor.BeforeStep = plan =>
        {
            before?.Invoke(plan);
            passes += plan.Passes.Count;
        };
        using var fixture = new EngineFixture(executor, options: Options(speculation));
        Assert.Equal(request.MaxTokens, (await fixture.RunAsync(request, Stop)).Count);
        return passes;
    }

    private static Task<List<int>> TokensAsync(GenerationHandle handle) =>
        handle.Events.ReadAllAsync(Stop).OfType<TokenGenerated>().Select(generated => generated.Token).ToListAsync(Stop).AsTask();

    private static int Token(ScriptedExecutor oracle, GenerationRequest request, IEnumerable<int> output, int stream)
    {
        int[] tokens = [.. request.PromptTokens, .. output];
        return ReferenceSampler.Token(oracle.MixedLogits(tokens, request.Strengths), new SamplingRow
        {
            Parameters = request.Sampling,
            NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, stream, tokens.Length),
            History = tokens,
            PromptTokens = request.PromptTokens.Count,
        });
    }
}
