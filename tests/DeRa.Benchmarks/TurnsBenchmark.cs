using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;
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
/// requests at once and setting of speculation, at the pair's own defaults. All settings are loaded at once and measured in turn, round
/// after round; medians.
/// </summary>
internal sealed class TurnsBenchmark : IDisposable
{
    private const int Rounds = 5;
    private static readonly double[] s_strengths = [0, .2, .3, .5, .7, 1, 1.5, 2];
    private static readonly int[] s_batches = [1, 2, 8];

    private static readonly string[] s_prompts =
    [
        "Once upon a time, there was a little girl named Lily.", "One day, Tom and Sam went to the park.", "The cat sat on the mat and",
        "There was a big dog who", "Lily lost her toy.", "It was a sunny day and", "Ben wanted to play with", "Mom said that",
    ];

    private readonly Dictionary<Speculation, ServedPair> _pairs = [];
    private readonly MeterListener _listener = new();
    private readonly List<double> _passesPerToken = [];
    private readonly int _tokens;

    private TurnsBenchmark(int tokens)
    {
        _tokens = tokens;
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

    /// <summary>Measures a pair.</summary>
    /// <param name="reference">The reference model's folder.</param>
    /// <param name="aligned">The aligned model's folder.</param>
    /// <param name="tokens">Tokens of each request at most; texts end where they end.</param>
    /// <param name="output">Takes the table.</param>
    public static async Task RunAsync(string reference, string aligned, int tokens, TextWriter output)
    {
        using var benchmark = new TurnsBenchmark(tokens);
        foreach (var speculation in Enum.GetValues<Speculation>())
            benchmark._pairs[speculation] = await ServedPairLoader.LoadAsync(new ServedPairOptions
            {
                Names = new ServedNames("pair", ["aligned"]),
                Models = new PairOptions { ReferencePath = reference, Aligned = [new("aligned", aligned)] },
                Engine = new EngineOptions { Speculation = speculation },
            }, null, NullLoggerFactory.Instance, TimeProvider.System, CancellationToken.None);
        foreach (var batch in s_batches) await benchmark.MeasureAsync(batch, output);
    }

    public void Dispose()
    {
        _listener.Dispose();
        foreach (var pair in _pairs.Values) pair.Engine.Dispose();
    }

    private async Task MeasureAsync(int batch, TextWriter output)
    {
        var cells = s_strengths.SelectMany(strength => _pairs.Keys.Select(speculation => (strength, speculation))).ToList();
        var seconds = cells.ToDictionary(cell => cell, _ => new List<double>());
        var passes = cells.ToDictionary(cell => cell, _ => new List<double>());
        for (var round = 0; round <= Rounds; round++)
            foreach (var cell in cells)
            {
                var (took, perToken) = await TimeAsync(_pairs[cell.speculation], batch, cell.strength, seed: round);
                // The first round pays for compiling.
                if (round > 0) seconds[cell].Add(took);
                passes[cell].Add(perToken);
            }
        output.WriteLine($"{batch} at once; time a token over that at strength 0");
        output.WriteLine("  strength  passes (on)   off    on  auto  auto/better  tokens/s: off on auto");
        var one = Median(seconds[(0, Speculation.Off)]);
        foreach (var strength in s_strengths)
        {
            var (off, on, auto) = (Of(Speculation.Off), Of(Speculation.On), Of(Speculation.Auto));
            var passesOn = passes[(strength, Speculation.On)].Average();
            output.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"  {strength,8}  {passesOn,11:F3}  {off / one,4:F2}  {on / one,4:F2}  {auto / one,4:F2}  {auto / Math.Min(off, on),11:F2}"
                + $"  {1 / off:F0} {1 / on:F0} {1 / auto:F0}"));

            double Of(Speculation speculation) => Median(seconds[(strength, speculation)]);
        }
    }

    private async Task<(double SecondsPerToken, double PassesPerToken)> TimeAsync(ServedPair pair, int batch, double strength, int seed)
    {
        lock (_passesPerToken) _passesPerToken.Clear();
        var requests = Enumerable.Range(0, batch).Select(i => pair.Validator.Prepare(new GenerationInput
        {
            Prompts = [new TextPrompt(s_prompts[i % s_prompts.Length])],
            MaxTokens = _tokens,
            AlignmentStrength = strength,
            Seed = 100 * seed + i,
        }).Choices[0].Request).ToList();
        var (began, tokens) = (Stopwatch.GetTimestamp(), 0);
        await Task.WhenAll(pair.Engine.Submit(requests).Select(async handle =>
        {
            await foreach (var happened in handle.Events.ReadAllAsync())
                if (happened is TokenGenerated) Interlocked.Increment(ref tokens);
        }));
        var took = Stopwatch.GetElapsedTime(began).TotalSeconds;
        lock (_passesPerToken) return (took / tokens, _passesPerToken.Average());
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
