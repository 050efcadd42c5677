using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Decoding by the engine: so many sequences at once go on from prompts of random tokens.</summary>
internal sealed class DecodeBenchmark : IDisposable
{
    private readonly StepsOptions _options;
    private readonly MeasuredExecutor _executor;
    private readonly DecodeRecorder _recorder;
    private readonly double? _bandwidth;
    private readonly TextWriter _progress;
    private int _done;

    /// <param name="executor">The pair; at most one engine runs on it at a time.</param>
    /// <param name="runnerBytes">Bytes of weights that a pass of each runner reads.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="bandwidth">Measured bytes a second; null = unknown.</param>
    /// <param name="progress">Takes a line for each batch.</param>
    public DecodeBenchmark(
        IStepExecutor executor, IReadOnlyList<long> runnerBytes, StepsOptions options, double? bandwidth, TextWriter progress)
    {
        _recorder = new DecodeRecorder(runnerBytes);
        _executor = new MeasuredExecutor(executor, _recorder.Ran);
        (_options, _bandwidth, _progress) = (options, bandwidth, progress);
    }

    public void Dispose() => _recorder.Dispose();

    /// <summary>Measures all.</summary>
    public async Task<IReadOnlyList<DecodeFigure>> RunAsync(CancellationToken cancellation)
    {
        var figures = new List<DecodeFigure>();
        foreach (var context in _options.Contexts)
        {
            var prompts = Prompts(context);
            // An engine for each setting of speculation; its cache keeps the prompts for all batches.
            foreach (var ways in DecodeWay.Of(_options.Strength).GroupBy(way => way.Speculation))
            {
                using var engine = Start(ways.First());
                foreach (var batch in _options.Batches)
                    figures.AddRange(await MeasureAsync(engine, [.. ways], prompts[..batch], cancellation));
            }
        }
        return [.. figures.OrderBy(figure => figure.Context).ThenBy(figure => figure.Batch)];
    }

    private int[][] Prompts(int context)
    {
        var random = new Random(context);
        return [.. Enumerable.Range(0, _options.MaxBatch)
            .Select(_ => Enumerable.Range(0, context).Select(_ => random.Next(_executor.Limits.VocabularySize)).ToArray())];
    }

    private GenerationEngine Start(DecodeWay way)
    {
        var defaults = new EngineOptions();
        return new GenerationEngine(_executor, defaults with
        {
            Speculation = way.Speculation,
            ModelName = _recorder.ModelName,
            MaxRunning = Math.Max(defaults.MaxRunning, _options.MaxBatch),
            MaxQueuedTokens = Math.Max(defaults.MaxQueuedTokens, (long)_options.MaxBatch * _options.MostTokens),
        }, TimeProvider.System, NullLogger<GenerationEngine>.Instance);
    }

    /// <summary>The ways in turn, round after round. The first round reads the prompts and pays for compiling.</summary>
    private async Task<IReadOnlyList<DecodeFigure>> MeasureAsync(
        GenerationEngine engine, DecodeWay[] ways, int[][] prompts, CancellationToken cancellation)
    {
        var windows = ways.ToDictionary(way => way, _ => new List<DecodeWindow>());
        var settings = DecodeWay.Of(_options.Strength).DistinctBy(way => way.Speculation).Count();
        var total = _options.Contexts.Count * _options.Batches.Count * settings;
        _progress.WriteLine($"[{++_done}/{total}] decode, context {prompts[0].Length}, batch {prompts.Length}: "
            + string.Join(", ", ways.Select(way => way.Name)));
        for (var round = 0; round <= _options.Rounds; round++)
            foreach (var way in ways)
            {
                var window = await RunAsync(engine, way, prompts, round, cancellation);
                if (round > 0) windows[way].Add(window);
            }
        return [.. ways.Select(way => Figure(way, prompts, windows[way]))];
    }

    private async Task<DecodeWindow> RunAsync(
        GenerationEngine engine, DecodeWay way, int[][] prompts, int round, CancellationToken cancellation)
    {
        var sequences = engine.Submit([.. prompts.Select((prompt, i) => new GenerationRequest
        {
            PromptTokens = prompt,
            Strengths = way.Strength,
            MaxTokens = _options.Tokens,
            Seed = round * prompts.Length + i,
        })]);
        using var stop = cancellation.Register(() =>
        {
            foreach (var sequence in sequences) sequence.Cancel();
        });
        foreach (var sequence in sequences)
            await foreach (var _ in sequence.Events.ReadAllAsync(CancellationToken.None)) { }
        cancellation.ThrowIfCancellationRequested();
        return _recorder.Take();
    }

    private DecodeFigure Figure(DecodeWay way, int[][] prompts, List<DecodeWindow> windows)
    {
        var perToken = Medians.Of(windows.Select(window => window.Seconds / window.Tokens));
        var bytes = Medians.Of(windows.Select(window => window.WeightBytes / window.Seconds));
        var guesses = windows.Sum(window => window.CheckedGuesses);
        return new DecodeFigure(prompts[0].Length, prompts.Length, way.Name, 1e3 * perToken * prompts.Length, 1 / perToken,
            (double)windows.Sum(window => window.Passes) / windows.Sum(window => window.Tokens),
            guesses > 0 ? (double)windows.Sum(window => window.RightGuesses) / guesses : null, bytes, bytes / _bandwidth);
    }
}
