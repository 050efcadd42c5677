using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Strengths by a schedule: each token is drawn at its own, by the models that weigh there and no others.</summary>
public sealed class ScheduleTests
{
    private const int Prompt = 13, Output = 40;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Schedules, each with the strength of each token as a list.</summary>
    public static TheoryData<StrengthSchedule, double[]> Schedules()
    {
        static double[] List(Func<int, double> at) => [.. Enumerable.Range(0, Output).Select(at)];
        return new()
        {
            { new StrengthRamp(1, 0.5, 0, RampShape.Linear), List(_ => 0.5) },
            { new StrengthRamp(1, 0.5, 1, RampShape.Linear), List(i => i == 0 ? 1 : 0.5) },
            { new StrengthRamp(1, 0, 1, RampShape.Step), List(i => i == 0 ? 1 : 0) },
            { new StrengthRamp(0, 2, 8, RampShape.Linear), List(i => i < 8 ? i * 0.25 : 2) },
            { new StrengthRamp(2, -1, 6, RampShape.Linear), List(i => i < 6 ? 2 - i * 0.5 : -1) },
            { new StrengthRamp(0, 1, 4, RampShape.Cosine), List(i => i < 4 ? (1 - Math.Cos(Math.PI * i / 4)) / 2 : 1) },
            { new StrengthRamp(0.5, 2, 1000, RampShape.Step), List(_ => 0.5) },
            { new StrengthRamp(1, 0, Output, RampShape.Step), List(_ => 1) },
            { new StrengthRamp(1, 0, Output - 1, RampShape.Step), List(i => i == Output - 1 ? 0 : 1) },
            { new StrengthPoints(new(0, 1), new(20, 0.5)), List(i => i < 20 ? 1 : 0.5) },
            { new StrengthPoints(new(0, 0), new(1, 1), new(2, 0), new(3, 0.5), new(4, 0.5), new(5, 1)),
                List(i => i switch { 0 => 0, 1 => 1, 2 => 0, 3 or 4 => 0.5, _ => 1 }) },
            { new StrengthPoints(new(0, 0.5), new(10, 0), new(20, 0.5), new(30, 1), new(500, 0)),
                List(i => i switch { < 10 => 0.5, < 20 => 0, < 30 => 0.5, _ => 1 }) },
        };
    }

    [Theory, MemberData(nameof(Schedules))]
    public void A_schedule_says_each_token_s_strength(StrengthSchedule schedule, double[] expected) =>
        Assert.All(expected.Index(), at => Assert.Equal(at.Item, schedule.At(at.Index)[0], 1e-12));

    [Theory, MemberData(nameof(Schedules))]
    public async Task Every_token_is_that_of_its_own_mixture_whatever_is_guessed(StrengthSchedule schedule, double[] expected)
    {
        foreach (var speculation in Enum.GetValues<Speculation>())
            foreach (var slots in (int[])[0, 1024])
            {
                var executor = new ScriptedExecutor(logitSlots: slots) { Difference = 0.2 };
                using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = speculation });
                var request = Request(schedule);
                // Of each choice; a prompt whose tokens repeat themselves is guessed ahead from itself.
                var requests = Enumerable.Range(0, 3).Select(choice => request with { ChoiceIndex = choice }).Append(request with
                {
                    PromptTokens = [.. Enumerable.Repeat<int[]>([5, 6, 7], 6).SelectMany(tokens => tokens)],
                    Sampling = new SamplingParameters { Temperature = 0, AllowedTokens = [5, 6, 7] },
                }).Append(request with { PromptLogProbs = 1 }).ToArray();
                foreach (var handle in fixture.Engine.Submit(requests)) await VerifyAsync(handle, executor, expected);
                Assert.Equal(0, fixture.Engine.Status.BlocksInUse);
            }
    }

    [Fact]
    public async Task Only_models_that_weigh_run_and_what_one_lacks_it_reads_once()
    {
        var executor = new ScriptedExecutor();
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        await fixture.RunAsync(Request(new StrengthPoints(new(0, 1), new(10, 0.5), new(20, 0))), Stop);
        // The token i needs all before it: the aligned model weighs in tokens 0 to 19, the reference in tokens 10 to 39.
        Assert.Equal([Prompt + Output - 1, Prompt + 19], executor.TokensRun);
        var alone = new ScriptedExecutor();
        using var other = new EngineFixture(alone, options: new EngineOptions { Speculation = Speculation.Off });
        await other.RunAsync(Request(new StrengthRamp(1, 0, Output, RampShape.Step)), Stop);
        Assert.Equal([0, Prompt + Output - 1], alone.TokensRun);
    }

    [Fact]
    public async Task A_model_that_comes_back_reads_only_what_it_missed_and_guesses_run_no_model_that_stops()
    {
        foreach (var speculation in (Speculation[])[Speculation.On, Speculation.Off])
        {
            var positions = new List<(int Model, int Position)>();
            var executor = new ScriptedExecutor { Difference = 0.1 };
            executor.BeforeStep = plan => positions.AddRange(plan.Rows().SelectMany(row =>
                Enumerable.Range(row.Position, row.Tokens.Length).Select(position => (row.Model, position))));
            using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = speculation });
            await fixture.RunAsync(Request(new StrengthPoints(new(0, 0.5), new(10, 0), new(20, 0.5), new(30, 1))), Stop);
            // Each of the prompt's positions once; of the output's some again, where a guess was wrong.
            for (var position = 0; position < Prompt; position++)
                Assert.Equal([0, 1], positions.Where(run => run.Position == position).Select(run => run.Model).Order());
            // The reference weighs in no token after the 29th: it runs none from that one on.
            Assert.Equal(Prompt + 28, positions.Where(run => run.Model == 0).Max(run => run.Position));
        }
    }

    [Fact]
    public async Task A_reader_is_told_of_each_new_strength_before_its_first_token_and_of_no_other()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        async Task<string> EventsAsync(StrengthSchedule schedule) => string.Join(' ', (await fixture.Engine.Submit(
            [Request(schedule) with { MaxTokens = 6 }])[0].Events.ReadAllAsync(Stop).ToListAsync(Stop)).Select(happened => happened switch
            {
                StrengthsChanged changed => $"{changed.Strengths[0]}",
                TokenGenerated => "t",
                _ => "end",
            }));
        Assert.Equal("t t t 0 t t t end", await EventsAsync(new StrengthRamp(1, 0, 3, RampShape.Step)));
        Assert.Equal("t 0.5 t 0 t t t t end", await EventsAsync(new StrengthRamp(1, 0, 2, RampShape.Linear)));
        Assert.Equal("t t t t t t end", await EventsAsync(new StrengthRamp(1, 0, 6, RampShape.Step)));
        Assert.Equal("t t t t t t end", await EventsAsync(new StrengthRamp(1, 0, 0, RampShape.Linear)));
        Assert.Equal("t t t 2 t t t end", await EventsAsync(new StrengthPoints(new(0, 1), new(2, 1), new(3, 2))));
    }

    [Fact]
    public async Task A_change_in_mid_stream_outweighs_the_schedule_from_its_token_on()
    {
        var submitted = new TaskCompletionSource<GenerationHandle>();
        var (steps, change, executor) = (0, (Task<int?>?)null, new ScriptedExecutor());
        executor.BeforeStep = _ =>
        {
            if (++steps == 9) change = submitted.Task.Result.ChangeStrengths(2);
        };
        using var fixture = new EngineFixture(executor);
        var handle = fixture.Engine.Submit([Request(new StrengthPoints(new(0, 0), new(3, 1), new(30, 0.5)))])[0];
        submitted.SetResult(handle);
        var events = await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        var from = (await change!)!.Value;
        Assert.InRange(from, 4, 29);
        var strengths = Enumerable.Range(0, Output).Select(i => i >= from ? 2.0 : i >= 3 ? 1 : 0).ToArray();
        Verify(handle.Request, executor, strengths, [.. events.OfType<TokenGenerated>().Select(generated => generated.Token)]);
        Assert.Equal([1, 2], events.OfType<StrengthsChanged>().Select(changed => changed.Strengths[0]));
    }

    [Fact]
    public async Task Schedules_over_a_cache_that_is_too_small_and_prompts_that_are_shared_change_no_token()
    {
        StrengthSchedule[] schedules = [.. Schedules().Select(row => row.Data.Item1)];
        using var alone = new EngineFixture(new ScriptedExecutor(), options: new EngineOptions { PrefixCache = false });
        using var shared = new EngineFixture(new ScriptedExecutor(contextTokens: 96, blockTokens: 8, blockCount: 20) { Difference = 1 });
        var requests = schedules.Select((schedule, i) => Request(schedule) with { Client = $"{i}", Priority = i % 2 }).ToArray();
        for (var round = 0; round < 2; round++)
        {
            var handles = requests.Select(request => shared.Engine.Submit([request])[0]).ToArray();
            var outputs = await Task.WhenAll(handles.Select(PrefixCacheTests.Tokens));
            Assert.True(handles.Sum(handle => handle.Preemptions) > 0);
            for (var i = 0; i < requests.Length; i++) Assert.Equal(await alone.RunAsync(requests[i], Stop), outputs[i]);
            Assert.Contains(handles, handle => handle.CachedTokens > 0);
        }
        Assert.Equal(0, shared.Engine.Status.BlocksInUse);
    }

    [Fact]
    public void A_schedule_that_cannot_be_followed_is_refused()
    {
        using var fixture = new EngineFixture(new ScriptedExecutor());
        void Refused(StrengthSchedule schedule, AlignmentStrengths strengths) => Assert.Throws<ArgumentException>(
            () => fixture.Engine.Submit([Request(schedule) with { Strengths = strengths }]));
        Refused(new StrengthRamp(1, 0, 3, RampShape.Step), 0);
        Refused(new StrengthRamp(1, double.NaN, 3, RampShape.Step), 1);
        Refused(new StrengthPoints(new(0, 1), new(2, new AlignmentStrengths(0, 1))), 1);
        Assert.Throws<ArgumentException>(() => new StrengthPoints());
        Assert.Throws<ArgumentException>(() => new StrengthPoints(new StrengthPoint(1, 1)));
        Assert.Throws<ArgumentException>(() => new StrengthPoints(new(0, 1), new(2, 1), new(2, 0)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StrengthRamp(1, 0, -1, RampShape.Linear));
    }

    private static GenerationRequest Request(StrengthSchedule schedule) => new()
    {
        PromptTokens = [.. Enumerable.Range(30, Prompt)],
        MaxTokens = Output,
        Strengths = schedule.At(0),
        Schedule = schedule,
        Seed = 11,
    };

    private static async Task VerifyAsync(GenerationHandle handle, ScriptedExecutor oracle, double[] strengths)
    {
        var tokens = await PrefixCacheTests.Tokens(handle);
        Assert.Equal(Output, tokens.Count);
        Verify(handle.Request, oracle, strengths, tokens);
    }

    private static void Verify(GenerationRequest request, ScriptedExecutor oracle, double[] strengths, List<int> output)
    {
        for (var i = 0; i < output.Count; i++)
        {
            int[] tokens = [.. request.PromptTokens, .. output[..i]];
            Assert.Equal(ReferenceSampler.Token(oracle.MixedLogits(tokens, (AlignmentStrengths)strengths[i]), new SamplingRow
            {
                Parameters = request.Sampling,
                NoiseKey = GumbelNoise.Key(request.Seed, request.ChoiceIndex, 0, tokens.Length),
                History = tokens,
                PromptTokens = request.PromptTokens.Count,
            }), output[i]);
        }
    }
}
