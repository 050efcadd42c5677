using DeRa.Engine;
using DeRa.Torch.Execution;
using DeRa.Torch.Native;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Cli.Bench.Steps;

/// <summary>Loads a pair and measures its steps.</summary>
internal static class StepsBenchmark
{
    /// <summary>Measures a pair, with nothing else in the process.</summary>
    /// <param name="models">The pair, in folders.</param>
    /// <param name="options">What is measured.</param>
    /// <param name="progress">Takes a line for each figure.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="FormatException">A prompt does not fit into the pair's context.</exception>
    public static async Task<StepsReport> RunAsync(
        PairOptions models, StepsOptions options, TextWriter progress, CancellationToken cancellation)
    {
        progress.WriteLine("Loading the pair");
        var pair = await Task.Run(() => Load(models, options, cancellation), cancellation);
        using var loaded = pair.Executor;
        CheckFits(options, pair);
        var onCpu = pair.Members.All(member => member.Device == "cpu");
        var threads = LibTorch.Load(models.LibTorch).Threads;
        if (onCpu) progress.WriteLine($"read bandwidth of {threads} threads");
        double? bandwidth = onCpu ? ReadBandwidth.Measure(threads) : null;
        long[] runnerBytes =
            [.. pair.Executor.Limits.Runners.Select(runner => runner.Models.Sum(model => BytesOfPass(pair.Members[model])))];
        using var decode = new DecodeBenchmark(pair.Executor, runnerBytes, options, bandwidth, progress);
        var figures = await decode.RunAsync(cancellation);
        var plans = new PlanBenchmark(pair.Executor, options, progress);
        return await Task.Run(() => new StepsReport
        {
            Options = options,
            Models = [.. pair.Members.Select(member =>
                new StepsModel(member.Name, member.Folder, member.Device, member.DType, BytesOfPass(member)))],
            Threads = threads,
            ReadBandwidth = bandwidth,
            Decode = figures,
            Prefill = plans.Prefill(cancellation),
            MixedStep = plans.MixedStep(cancellation),
        }, cancellation);
    }

    private static LoadedPair Load(PairOptions models, StepsOptions options, CancellationToken cancellation)
    {
        var slots = DecodeBenchmark.WithRoom(new EngineOptions { MaxRunning = options.MaxBatch }, options);
        var blocks = options.MaxBatch * (options.MostTokens / models.BlockTokens + 2);
        return PairLoader.Load(models with
        {
            CacheTokens = blocks * models.BlockTokens,
            LogitSlots = slots.LogitSlots(1 + models.Aligned.Count),
        }, vocabularySize: int.MaxValue, progress: null, NullLogger.Instance, cancellation);
    }

    private static void CheckFits(StepsOptions options, LoadedPair pair)
    {
        var most = pair.ContextTokens - options.Tokens;
        if (options.Contexts.Max() is var context && context > most)
            throw new FormatException(
                $"--context holds {context}; with --tokens {options.Tokens} it must be from 1 to {most} for this pair.");
        if (options.PromptTokens > pair.ContextTokens)
            throw new FormatException($"--prompt is {options.PromptTokens}; it must be from 1 to {pair.ContextTokens} for this pair.");
    }

    /// <summary>What a pass reads of a model: not an embedding that is no output layer, of which it reads a row for each token.</summary>
    private static long BytesOfPass(LoadedMember member) => member.Config.TiedEmbeddings || member.WeightBytes == 0 ? member.WeightBytes
        : member.WeightBytes - (long)member.Config.VocabularySize * member.Config.HiddenSize * (member.DType == "float32" ? 4 : 2);
}
