using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using Xunit;

namespace DeRa.Engine.Tests;

/// <summary>Measures: they change no token, and no model runs more for them but one that weighs nothing.</summary>
public sealed class MeasuresTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Speculation.On), InlineData(Speculation.Off)]
    public async Task Measures_change_no_token_whatever_the_strength_does(Speculation speculation)
    {
        using var fixture = new EngineFixture(
            new ScriptedExecutor { Difference = .3 }, options: new EngineOptions { Speculation = speculation });
        StrengthSchedule?[] schedules =
            [null, new StrengthRamp(1, 0, 9, RampShape.Step), new StrengthPoints(new(0, 0), new(5, 1), new(9, .5))];
        foreach (var schedule in schedules)
            foreach (var strength in schedule is null ? (double[])[-1, 0, .5, 1, 2] : [schedule.At(0)[0]])
            {
                var plain = Request(strength) with { Schedule = schedule };
                Assert.Equal(await fixture.RunAsync(plain, Stop), await fixture.RunAsync(plain with { Measures = 2 }, Stop));
            }
    }

    [Fact]
    public async Task No_model_runs_more_tokens_for_them_but_the_one_that_weighs_nothing()
    {
        foreach (var (strength, expected) in ((double, int[])[])[(.5, [20, 20]), (0, [20, 20]), (1, [20, 20])])
        {
            var executor = new ScriptedExecutor();
            using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
            await fixture.RunAsync(Request(strength) with { Measures = 0 }, Stop);
            Assert.Equal(expected, executor.TokensRun);
        }
    }

    [Fact]
    public async Task A_change_in_mid_stream_to_one_model_alone_lets_the_other_run_on()
    {
        var submitted = new TaskCompletionSource<GenerationHandle>();
        var (steps, executor) = (0, new ScriptedExecutor());
        executor.BeforeStep = plan =>
        {
            if (++steps == 5) _ = submitted.Task.Result.ChangeStrengths(1);
        };
        using var fixture = new EngineFixture(executor, options: new EngineOptions { Speculation = Speculation.Off });
        var handle = fixture.Engine.Submit([Request(.5) with { Measures = 0 }])[0];
        submitted.SetResult(handle);
        var events = await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        Assert.Equal([20, 20], executor.TokensRun);
        Assert.All(events.OfType<TokenGenerated>(), generated => Assert.Equal(generated.Token, generated.Measures?.Token));
        Assert.Contains(events, happened => happened is StrengthsChanged);
        Assert.Equal(0, events.OfType<TokenGenerated>().Last().Measures!.LogZ);
    }

    private static GenerationRequest Request(double strength) => new()
    {
        PromptTokens = [.. Enumerable.Range(10, 9)],
        MaxTokens = 12,
        Strengths = strength,
        Seed = 1,
    };
}
