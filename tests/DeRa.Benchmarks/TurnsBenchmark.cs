using System.CommandLine;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
using DeRa.Benchmarks.Pairs;
using DeRa.Cli.Bench.Steps;
using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using DeRa.Engine.Telemetry;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Benchmarks;

/// <summary>
/// A pair in turns and without: passes a token, and the time of a token over that of strength 0 (one model), for each strength, number of
/// requests at once and setting of speculation, at the pair's own defaults. The settings have engines of their own over one pair in memory,
/// without a prefix cache, and are measured in turn, each round in another order; medians.
/// </summary>
internal sealed class TurnsBenchmark : IDisposable
{
    private const int Rounds = 5;
    private static readonly int[] s_batches = [1, 2, 8];

    private static readonly (string Name, double[] Strengths)[] s_mixes =
    [
        ("0", [0]), ("0.2", [.2]), ("0.3", [.3]), ("0.7", [.7]), ("1", [1]), ("1.5", [1.5]), ("2", [2]), ("mixed", [0, .3, 1, .7, 1.5]),
    ];

    private static readonly string[] s_prompts =
    [
        "Once upon a time, there was a little girl named Lily.", "One day, Tom and Sam went to the park.", "The cat sat on the mat and",
        "There was a big dog who", "Lily lost her toy.", "It was a sunny day and", "Ben wanted to play with", "Mom said that",
    ];

    private static readonly Argument<string> s_reference = new("REFERENCE") { Description = "The reference model's folder" };

    private static readonly Argument<string> s_aligned = new("ALIGNED") { Description = "The aligned model's folder" };

    private static readonly Argument<int> s_perCell = new("TOKENS")
    {
        Description = "Tokens of each cell of the table, for each of the requests that run at once",
        DefaultValueFactory = _ => 400,
    };

    private readonly ServedPair _served;
    private readonly LoadedPair _loaded;
    private readonly Dictionary<Speculation, GenerationEngine> _engines;
    private readonly MeterListener _listener = new();
    private readonly List<double> _passesPerToken = [];
    private readonly int _tokens;

    /// <param name="served">Makes the requests.</param>
    /// <param name="loaded">Runs them, for one engine at a time.</param>
    /// <param name="tokens">Of each cell, for each of the requests that run at once.</param>
    private TurnsBenchmark(ServedPair served, LoadedPair loaded, int tokens)
    {
        (_served, _loaded, _tokens) = (served, loaded, tokens);
        _engines = Enum.GetValues<Speculation>().ToDictionary(speculation => speculation, speculation => new GenerationEngine(
            new MeasuredExecutor(loaded.Executor, _ => { }), new EngineOptions { Speculation = speculation, PrefixCache = false },
            TimeProvider.System, NullLogger<GenerationEngine>.Instance));
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == EngineTelemetry.Name && instrument.Name == "dera.passes_per_token")
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<double>((_, value, _, _) =>
        {
            lock (_passesPerToken) _passesPerToken.Add(value);
        });
        _listener.Start();
    }

    public static Command Create()
    {
        var command = new Command("turns", "The time of a token for each setting of speculation, over that of one model.")
        {
            s_reference, s_aligned, s_perCell,
        };
        command.SetAction((parsed, cancellation) => RunAsync(
            PairFolders.Choose(parsed.GetRequiredValue(s_reference), [parsed.GetRequiredValue(s_aligned)]),
            parsed.GetValue(s_perCell), parsed.InvocationConfiguration.Output, cancellation));
        return command;
    }

    private static async Task RunAsync(PairFolders folders, int tokens, TextWriter output, CancellationToken cancellation)
    {
        var served = await BenchmarkPair.LoadAsync(folders, new EngineOptions(), cancellation);
        var loaded = await Task.Run(() => PairLoader.Load(
            new PairOptions
            {
                ReferencePath = folders.Reference,
                Aligned = folders.Aligned,
                LogitSlots = new EngineOptions().LogitSlots(1 + folders.Aligned.Count),
            }, served.Tokenizer.VocabularySize, null, NullLogger.Instance, cancellation), cancellation);
        using var benchmark = new TurnsBenchmark(served, loaded, tokens);
        foreach (var batch in s_batches) await benchmark.MeasureAsync(batch, output);
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var engine in _engines.Values) engine.Dispose();
        _loaded.Executor.Dispose();
        _served.Engine.Dispose();
    }

    private async Task MeasureAsync(int batch, TextWriter output)
    {
        var cells = s_mixes.SelectMany(mix => _engines.Keys.Select(speculation => (mix.Name, Speculation: speculation))).ToList();
        var seconds = cells.ToDictionary(cell => cell, _ => new List<double>());
        var passes = cells.ToDictionary(cell => cell, _ => new List<double>());
        var settings = _engines.Keys.ToArray();
        for (var round = 0; round <= Rounds; round++)
            foreach (var ((name, strengths), place) in
                s_mixes.SelectMany(mix => Enumerable.Range(0, settings.Length).Select(place => (mix, place))))
            {
                var speculation = settings[(place + round) % settings.Length];
                var (perToken, passesPerToken) = await RunAsync(_engines[speculation], batch, strengths, seed: 1000 * round);
                // The first round pays for compiling.
                if (round > 0) seconds[(name, speculation)].Add(perToken);
                passes[(name, speculation)].Add(passesPerToken);
            }
        output.WriteLine($"{batch} at once; time a token over that of strength 0, off");
        output.WriteLine("  strength  passes (on)   off    on  auto  auto/better  tokens/s: off on auto");
        var one = Median(seconds[(s_mixes[0].Name, Speculation.Off)]);
        foreach (var (name, _) in s_mixes)
        {
            var (off, on, auto) = (Of(Speculation.Off), Of(Speculation.On), Of(Speculation.Auto));
            var passesOn = passes[(name, Speculation.On)].Average();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {name,8}  {passesOn,11:F3}  {off / one,4:F2}  {on / one,4:F2}  {auto / one,4:F2}  {auto / Math.Min(off, on),11:F2}"
                + $"  {1 / off:F0} {1 / on:F0} {1 / auto:F0}"));

            double Of(Speculation speculation) => Median(seconds[(name, speculation)]);
        }
    }

    /// <summary>Keeps so many requests running, one after the other ends, until the tokens are there.</summary>
    private async Task<(double SecondsPerToken, double PassesPerToken)> RunAsync(
        GenerationEngine engine, int batch, double[] strengths, int seed)
    {
        lock (_passesPerToken) _passesPerToken.Clear();
        var (began, tokens, next) = (Stopwatch.GetTimestamp(), 0, 0);
        await Task.WhenAll(Enumerable.Range(0, batch).Select(_ => WriteAsync()));
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        lock (_passesPerToken) return (took / tokens, _passesPerToken.Average());

        async Task WriteAsync()
        {
            while (Volatile.Read(ref tokens) < _tokens * batch)
            {
                var request = Interlocked.Increment(ref next);
                await foreach (var happened in engine.Submit([Request(request, strengths, seed)])[0].Events.ReadAllAsync())
                    if (happened is TokenGenerated) Interlocked.Increment(ref tokens);
            }
        }
    }

    private GenerationRequest Request(int index, double[] strengths, int seed) => _served.Validator.Prepare(
        new GenerationInput
        {
            Prompts = [new TextPrompt(s_prompts[index % s_prompts.Length])],
            MaxTokens = 200,
            AlignmentStrength = strengths[index % strengths.Length],
            Seed = seed + index,
        }).Choices[0].Request;

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
