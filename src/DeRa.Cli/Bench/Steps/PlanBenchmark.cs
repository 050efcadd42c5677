using System.Diagnostics;
using DeRa.Engine.Requests;
using DeRa.Engine.Scheduling;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Times single steps, without an engine: a prompt, and a decode step against what its models take by themselves.</summary>
/// <param name="executor">The pair; no engine runs on it.</param>
/// <param name="options">What is measured.</param>
/// <param name="progress">Takes a line for each figure.</param>
internal sealed class PlanBenchmark(IStepExecutor executor, StepsOptions options, TextWriter progress)
{
    /// <summary>Rounds of the mixed step for each round of others: it is short.</summary>
    private const int MixedRounds = 7;

    /// <summary>A prompt, read by each model and by both, in turn.</summary>
    public IReadOnlyList<PrefillFigure> Prefill(CancellationToken cancellation)
    {
        (string Name, double Strength)[] ways = [("pair", options.Strength), ("reference alone", 0), ("aligned alone", 1)];
        foreach (var (name, _) in ways) progress.WriteLine($"prompt of {options.PromptTokens}: {name}");
        StepPlan[] plans = [.. ways.Select(way => Mixed(way.Strength, position: 0, options.PromptTokens))];
        var seconds = Seconds(plans, options.Rounds, cancellation);
        return [.. ways.Zip(seconds, (way, took) => new PrefillFigure(way.Name, 1e3 * took, options.PromptTokens / took))];
    }

    /// <summary>A decode step of one sequence of the first context.</summary>
    public MixedStepFigure MixedStep(CancellationToken cancellation)
    {
        progress.WriteLine($"mixed step, context {options.Contexts[0]}");
        StepPlan[] plans = [Mixed(options.Strength, options.Contexts[0], tokens: 1), Own(model: 0), Own(model: 1)];
        var seconds = Seconds(plans, MixedRounds * options.Rounds, cancellation);
        return new MixedStepFigure(1e3 * seconds[0], [1e3 * seconds[1], 1e3 * seconds[2]], seconds[0] / (seconds[1] + seconds[2]));
    }

    /// <summary>Medians of some plans, which run in turn; the first round pays for compiling.</summary>
    private double[] Seconds(StepPlan[] plans, int rounds, CancellationToken cancellation)
    {
        var seconds = Array.ConvertAll(plans, _ => new List<double>());
        for (var round = 0; round <= rounds; round++)
            for (var i = 0; i < plans.Length; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var began = Stopwatch.GetTimestamp();
                executor.Execute(plans[i]);
                if (round > 0) seconds[i].Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
            }
        return Array.ConvertAll(seconds, Medians.Of);
    }

    /// <summary>All active models' passes, and a token drawn at temperature 1.</summary>
    private StepPlan Mixed(AlignmentStrengths strengths, int position, int tokens)
    {
        var (passes, sources) = (new List<ModelPass>(), new SortedDictionary<int, LogitSource>());
        for (var runner = 0; runner < executor.Limits.Runners.Count; runner++)
        {
            var rows = new List<PassRow>();
            foreach (var model in executor.Limits.Runners[runner].Models.Where(strengths.IsActive))
            {
                sources.Add(model, LogitSource.Of(rows.Count, 0));
                rows.Add(Row(model, position, tokens, keptSlots: []));
            }
            if (rows.Count > 0) passes.Add(new ModelPass(runner, rows));
        }
        return new StepPlan(passes, [new Readout
        {
            Branch = 0,
            Strengths = strengths,
            Sources = [.. sources.Values],
            Sampling = new SamplingRow
            {
                Parameters = new SamplingParameters(),
                NoiseKey = 1,
                History = ReadOnlyMemory<int>.Empty,
                PromptTokens = 0,
            },
        }]);
    }

    /// <summary>One model's pass up to its logits, which are kept; nothing is drawn.</summary>
    private StepPlan Own(int model)
    {
        var runner = executor.Limits.Runners.Index().First(one => one.Item.Models.Contains(model)).Index;
        return new StepPlan([new ModelPass(runner, [Row(model, options.Contexts[0], tokens: 1, keptSlots: [0])])], []);
    }

    private PassRow Row(int model, int position, int tokens, int[] keptSlots)
    {
        var (random, blockTokens) = (new Random(position), executor.Limits.BlockTokens);
        return new PassRow
        {
            Branch = 0,
            Model = model,
            Tokens = Enumerable.Range(0, tokens).Select(_ => random.Next(executor.Limits.VocabularySize)).ToArray(),
            Position = position,
            BlockTable = [.. Enumerable.Range(0, (position + tokens + blockTokens - 1) / blockTokens)],
            OutputCount = 1,
            KeptSlots = keptSlots,
        };
    }
}
