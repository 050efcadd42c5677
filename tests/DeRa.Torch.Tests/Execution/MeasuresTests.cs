using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Testing;
using DeRa.Torch.Execution;
using Xunit;

namespace DeRa.Torch.Tests.Execution;

/// <summary>
/// Measures of real models against the golden pair's float64 ones: log-probabilities, log Z and its sum, divergences, at every strength,
/// with guesses and without, in chunks and from the prefix cache.
/// </summary>
public sealed class MeasuresTests
{
    private static readonly GoldenMix Mix = GoldenMix.Load();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(Speculation.Off, 512), InlineData(Speculation.On, 512), InlineData(Speculation.On, 7)]
    public async Task Measures_of_the_golden_pair_are_the_golden_ones(Speculation speculation, int batchTokens)
    {
        using var fixture = new EngineFixture(GoldenPair.Load().Executor,
            options: new EngineOptions { Speculation = speculation, MaxBatchTokens = batchTokens, MaxRunning = 4 });
        for (var round = 0; round < 2; round++)
            foreach (var golden in Mix.Cases) await CheckAsync(fixture, golden, golden.Strength);
    }

    [Fact]
    public async Task Three_models_measure_as_two_where_two_of_them_are_the_same()
    {
        var path = GoldenData.Committed("pair/aligned");
        using var fixture = new EngineFixture(GoldenPair.Load(GoldenPair.Options() with
        {
            Aligned = [new AlignedFolder("one", path), new AlignedFolder("two", path)],
        }).Executor);
        foreach (var golden in Mix.Cases)
            foreach (var strengths in (AlignmentStrengths[])[golden.Strength, new(0, golden.Strength), new(golden.Strength + .25, -.25)])
                await CheckAsync(fixture, golden, strengths);
    }

    private static async Task CheckAsync(EngineFixture fixture, GoldenMix.Case golden, AlignmentStrengths strengths)
    {
        var handle = fixture.Engine.Submit([new GenerationRequest
        {
            PromptTokens = Mix.Prompts[golden.Prompt].InputIds,
            MaxTokens = golden.GreedyIds.Length,
            Strengths = strengths,
            Seed = 1,
            Sampling = new SamplingParameters { Temperature = 0 },
            Measures = 2,
        }])[0];
        var events = await handle.Events.ReadAllAsync(Stop).ToListAsync(Stop);
        TokenMeasures[] measures = [.. events.OfType<TokenGenerated>().Select(generated => generated.Measures!)];
        Assert.Equal(golden.GreedyIds, measures.Select(own => own.Token));
        var tolerance = GoldenMix.Tolerance(golden.Strength);
        Near(golden.GreedyLogpMixed, measures.Select(own => own.LogProb), tolerance);
        Near(golden.GreedyLogpSft, measures.Select(own => own.Models[0].LogProb), 1e-4);
        Near(golden.KlMixedSft, measures.Select(own => own.Models[0].Divergence), tolerance);
        Near(golden.LogZ, measures.Select(own => own.LogZ), tolerance);
        Near([golden.LogZ.Sum()], [measures.Sum(own => own.LogZ)], tolerance * golden.GreedyIds.Length / 4);
        for (var model = 1; model < measures[0].Models.Count; model++)
        {
            Near(golden.GreedyLogpAligned, measures.Select(own => own.Models[model].LogProb), 1e-4);
            Near(golden.GreedyLogpAligned.Zip(golden.GreedyLogpSft, (aligned, reference) => aligned - reference),
                measures.Select(own => own.ImplicitReward(model)), 2e-4);
        }
        Assert.All(measures, own => Assert.Equal(own.Token, own.Top[0].Token));
    }

    private static void Near(IEnumerable<double> expected, IEnumerable<double> found, double tolerance) =>
        Assert.Equal(expected, found, (a, b) => Math.Abs(a - b) <= tolerance);
}
