using System.Diagnostics.Metrics;
using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using DeRa.Serving.Merging;
using DeRa.Serving.Requests;
using DeRa.Testing;
using Xunit;

namespace DeRa.Serving.Tests;

/// <summary>
/// What a token costs in turns on trained pairs, at their own defaults, counted in passes; and that guesses change none of their texts.
/// Float32 on the CPU gives the same bits in any batch, so both are exact.
/// </summary>
public sealed class TurnsTests(ITestOutputHelper output)
{
    private static readonly string[] Prompts =
    [
        "Once upon a time, there was a little girl named Lily.", "One day, Tom and Sam went to the park.", "There was a big dog who",
        "Lily lost her toy.", "It was a sunny day and", "Ben wanted to play with", "Mom said that", "The cat sat on the mat and",
    ];

    private static readonly double[] Strengths = [0, .2, .5, .8, 1, 1.5, 2];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task The_default_pair_costs_little_more_than_one_pass_a_token() => VerifyAsync(
        DefaultPairWeights.Folder("reference"), DefaultPairWeights.Folder("aligned"), [1, 1.06, 1.06, 1.06, 1, 1.12, 1.18]);

    /// <summary>The aligned model drawn halfway back to the reference: a pair as far apart as many that were tuned.</summary>
    [Fact]
    public async Task A_pair_a_few_nats_apart_costs_at_most_a_tenth_more_than_one_pass_a_token()
    {
        using var folder = new TemporaryFolder();
        var aligned = Path.Combine(folder.Path, "aligned");
        new ModelMerge(DefaultPairWeights.Folder("reference"), DefaultPairWeights.Folder("aligned"), aligned, Strength: 0.45)
            .Write(null, Stop);
        await VerifyAsync(DefaultPairWeights.Folder("reference"), aligned, [1, 1.02, 1.02, 1.02, 1, 1.05, 1.09]);
    }

    [Fact]
    public Task Two_models_that_were_trained_apart_cost_well_below_two_passes_a_token()
    {
        var reference = SharedData.Find("models/babyllama-reference");
        Assert.SkipWhen(reference is null, SharedData.Missing);
        return VerifyAsync(reference, SharedData.Find("models/babyllama-aligned")!, [1, 1.05, 1.05, 1.05, 1, 1.15, 1.25]);
    }

    private async Task VerifyAsync(string reference, string aligned, double[] most)
    {
        Task<ServedPair> LoadAsync(Speculation speculation) =>
            LoadedPair.OfAsync(reference, aligned, new EngineOptions { Speculation = speculation, ModelName = $"turns {speculation}" });
        var (on, off) = (await LoadAsync(Speculation.On), await LoadAsync(Speculation.Off));
        using var _ = on.Engine;
        using var __ = off.Engine;
        foreach (var (strength, limit) in Strengths.Zip(most))
        {
            var (texts, passes) = await RunAsync(on, strength);
            Assert.Equal((await RunAsync(off, strength)).Texts, texts);
            output.WriteLine($"strength {strength}: {passes:F3} passes a token");
            Assert.InRange(passes, 0.5, limit);
        }
    }

    /// <summary>Each prompt three times, all at once; the mean over sequences, as the metric has it.</summary>
    private static async Task<(List<string> Texts, double PassesPerToken)> RunAsync(ServedPair pair, double strength)
    {
        var passes = new List<double>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listening) =>
            {
                if (instrument.Meter.Name == EngineTelemetry.Name && instrument.Name == "dera.passes_per_token")
                    listening.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<double>((_, value, tags, _) =>
        {
            foreach (var (key, model) in tags)
                if (key == "model_name" && model is "turns On") passes.Add(value);
        });
        listener.Start();
        var requests = Enumerable.Range(0, 3 * Prompts.Length).Select(i => pair.Validator.Prepare(new GenerationInput
        {
            Prompts = [new TextPrompt(Prompts[i % Prompts.Length])],
            MaxTokens = 120,
            AlignmentStrength = strength,
            Seed = i,
        }).Choices[0].Request).ToList();
        var texts = await Task.WhenAll(pair.Engine.Submit(requests).Select(async handle => string.Join(',', await handle.Events
            .ReadAllAsync(Stop).OfType<TokenGenerated>().Select(generated => generated.Token).ToListAsync(Stop))));
        return ([.. texts], passes.Count == 0 ? 0 : passes.Average());
    }
}
