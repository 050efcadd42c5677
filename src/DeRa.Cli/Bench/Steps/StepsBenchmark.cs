using DeRa.Engine;
using DeRa.Engine.Scheduling;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Loads a pair and measures its steps.</summary>
internal static class StepsBenchmark
{
    /// <summary>Loads a pair with a cache for what is measured. Its folders are no longer needed then.</summary>
    /// <param name="models">The pair, in folders.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="progress">Takes bytes loaded; null = nobody.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="FormatException">A prompt does not fit into the pair's context.</exception>
    public static LoadedPair Load(
        PairOptions models, StepsOptions options, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        var blocks = options.MaxBatch * (options.MostTokens / models.BlockTokens + 2);
        var pair = PairLoader.Load(models with
        {
            CacheTokens = blocks * models.BlockTokens,
            LogitSlots = new EngineOptions { MaxRunning = options.MaxBatch }.LogitSlots(1 + models.Aligned.Count),
        }, vocabularySize: int.MaxValue, progress, NullLogger.Instance, cancellation);
        try
        {
            CheckFits(options, pair);
            return pair;
        }
        catch
        {
            pair.Executor.Dispose();
            throw;
        }
    }

    /// <summary>Measures a pair, with nothing else in the process.</summary>
    /// <param name="pair">The pair, which the caller frees.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="progress">Takes a line for each figure.</param>
    /// <param name="cancellation">Stops it.</param>
    public static async Task<StepsReport> RunAsync(
        LoadedPair pair, StepsOptions options, TextWriter progress, CancellationToken cancellation)
    {
        var (isOnCpu, threads) = (pair.Members.All(member => member.Device == "cpu"), LibTorch.Load().Threads);
        if (isOnCpu) progress.WriteLine($"read bandwidth of {threads} threads");
        double? bandwidth = isOnCpu ? ReadBandwidth.Measure(threads) : null;
        long[] runnerBytes = [.. pair.Executor.Limits.Runners.Select(runner => BytesOfPass(pair, runner))];
        using var decode = new DecodeBenchmark(pair.Executor, runnerBytes, options, bandwidth, progress);
        var figures = await decode.RunAsync(cancellation);
        var scoring = await new ScoringBenchmark(pair.Executor, options, progress).RunAsync(cancellation);
        var plans = new PlanBenchmark(pair.Executor, options, progress);
        return await Task.Run(() => new StepsReport
        {
            Options = options,
            Models = [.. pair.Members.Select(member =>
                new StepsModel(member.Name, member.Folder, member.Device, member.DType, member.WeightBytes))],
            Threads = threads,
            ReadBandwidth = bandwidth,
            Decode = figures,
            Prefill = plans.Prefill(cancellation),
            Scoring = scoring,
            // On a GPU a pass whose logits nobody reads is not waited for.
            MixedStep = isOnCpu ? plans.MixedStep(cancellation) : null,
        }, cancellation);
    }

    private static void CheckFits(StepsOptions options, LoadedPair pair)
    {
        var most = pair.ContextTokens - options.Tokens;
        if (options.Contexts.Max() is var context && context > most)
            throw new FormatException(
                $"--context holds {context}; with --tokens {options.Tokens} it must be from 1 to {most} for this pair.");
        if (options.PromptTokens > pair.ContextTokens)
            throw new FormatException($"--prompt is {options.PromptTokens}; it must be from 2 to {pair.ContextTokens} for this pair.");
    }

    /// <summary>
    /// What a pass reads of a model and its adapters: not an embedding that is no output layer, of which it reads a row for each token.
    /// </summary>
    private static long BytesOfPass(LoadedPair pair, RunnerLimits runner)
    {
        var (bytes, first) = (runner.Models.Sum(model => pair.Members[model].WeightBytes), pair.Members[runner.Models[0]]);
        var elementBytes = first.DType == "float32" ? sizeof(float) : sizeof(ushort);
        return first.Config.TiedEmbeddings ? bytes : bytes - (long)first.Config.VocabularySize * first.Config.HiddenSize * elementBytes;
    }
}
