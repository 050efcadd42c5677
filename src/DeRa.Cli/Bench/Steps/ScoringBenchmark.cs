using System.Diagnostics;
using DeRa.Engine;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Scoring by the engine: one text of random tokens at one strength, and at many.</summary>
/// <param name="executor">The pair; no other engine runs on it.</param>
/// <param name="options">What is measured.</param>
/// <param name="progress">Takes a line.</param>
internal sealed class ScoringBenchmark(IStepExecutor executor, StepsOptions options, TextWriter progress)
{
    /// <summary>λ of 0, 0.1, …, 2.</summary>
    private static readonly AlignmentStrengths[] s_many = [.. Enumerable.Range(0, 21).Select(i => (AlignmentStrengths)(i / 10.0))];

    /// <summary>Medians of both, which run in turn; the first round pays for compiling.</summary>
    public async Task<ScoringFigure> RunAsync(CancellationToken cancellation)
    {
        progress.WriteLine($"text of {options.PromptTokens} scored at 1 strength and at {s_many.Length}");
        // Nothing is kept from one round for the next, and the models outlive the engine.
        using var engine = new GenerationEngine(new MeasuredExecutor(executor, _ => { }), new EngineOptions { PrefixCache = false },
            TimeProvider.System, NullLogger<GenerationEngine>.Instance);
        var (one, many) = (new List<double>(), new List<double>());
        for (var round = 0; round <= options.Rounds; round++)
        {
            var seconds = (await SecondsAsync(engine, [options.Strength], cancellation), await SecondsAsync(engine, s_many, cancellation));
            if (round == 0) continue;
            one.Add(seconds.Item1);
            many.Add(seconds.Item2);
        }
        var (single, sweep) = (Medians.Of(one), Medians.Of(many));
        return new ScoringFigure(options.PromptTokens, s_many.Length, 1e3 * single, 1e3 * sweep, sweep / single);
    }

    private async Task<double> SecondsAsync(GenerationEngine engine, AlignmentStrengths[] strengths, CancellationToken cancellation)
    {
        var random = new Random(options.PromptTokens);
        var began = Stopwatch.GetTimestamp();
        var sequence = engine.Submit([new GenerationRequest
        {
            PromptTokens = [.. Enumerable.Range(0, options.PromptTokens).Select(_ => random.Next(executor.Limits.VocabularySize))],
            Strengths = options.Strength,
            MaxTokens = 0,
            Seed = 0,
            Scoring = new PromptScoring(1, strengths),
        }])[0];
        using var stop = cancellation.Register(() => sequence.Cancel());
        await foreach (var _ in sequence.Events.ReadAllAsync(CancellationToken.None)) { }
        cancellation.ThrowIfCancellationRequested();
        return Stopwatch.GetElapsedTime(began).TotalSeconds;
    }
}
