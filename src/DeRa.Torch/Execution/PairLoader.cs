using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>Loads a pair of models and their caches.</summary>
public sealed class PairLoader
{
    private readonly PairOptions _options;
    private readonly ILogger _logger;
    private readonly ModelConfig _reference;
    private readonly ModelConfig _aligned;

    private PairLoader(PairOptions options, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        (_reference, _aligned) = (ModelConfigReader.Load(options.ReferencePath), ModelConfigReader.Load(options.AlignedPath));
    }

    /// <summary>
    /// Loads both models side by side, then their caches. The tokenizers must have been found equal before. Nothing stays
    /// allocated where it fails. Any thread; the executor then belongs to the engine's.
    /// </summary>
    /// <param name="options">What to load, and where.</param>
    /// <param name="vocabularySize">The tokenizer's size: padding of the output layers beyond it is cut off.</param>
    /// <param name="progress">Takes bytes loaded, from the loading threads; null = nobody.</param>
    /// <param name="logger">Takes memory per model and for the cache.</param>
    /// <param name="cancellation">Stops loading.</param>
    /// <exception cref="CheckpointException">A folder is missing or broken, or asks for what is not implemented.</exception>
    /// <exception cref="PairLoadException">An option is out of range, or memory does not suffice.</exception>
    /// <exception cref="LibTorchException">libtorch or a device does not work.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static LoadedPair Load(PairOptions options, int vocabularySize, IProgress<LoadProgress>? progress, ILogger logger,
        CancellationToken cancellation = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabularySize, 1);
        CheckOptions(options);
        return new PairLoader(options, logger).LoadPair(vocabularySize, progress, cancellation);
    }

    private static void CheckOptions(PairOptions options)
    {
        if (options.BlockTokens is < 1 or > 1024)
            throw new PairLoadException($"BlockTokens is {options.BlockTokens}; it must be from 1 to 1024");
        if (options.CacheTokens < options.BlockTokens)
            throw new PairLoadException($"--cache-tokens is {options.CacheTokens}; it must be at least one block, {options.BlockTokens}");
    }

    private LoadedPair LoadPair(int vocabularySize, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        var contextTokens = ContextTokens();
        var (referenceDevice, alignedDevice) = _options.Device.Resolve(LibTorch.Load(_options.LibTorch));
        LibTorch.VerifyDevice(referenceDevice);
        LibTorch.VerifyDevice(alignedDevice);
        var models = LoadModels(referenceDevice, alignedDevice, progress, cancellation);
        try
        {
            return Assemble(models[0], models[^1], EffectiveVocabulary(vocabularySize), contextTokens);
        }
        catch
        {
            foreach (var model in models) model.Dispose();
            throw;
        }
    }

    /// <summary>Two models, or one where both are the same folder on the same device.</summary>
    private IReadOnlyList<DecoderModel> LoadModels(
        Device referenceDevice, Device alignedDevice, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        var load = new ParallelLoad(_options.DType, progress, cancellation);
        var isOneFolder = RealPath(_options.ReferencePath) == RealPath(_options.AlignedPath);
        if (!isOneFolder || referenceDevice.ToString() != alignedDevice.ToString())
            return load.Run(
                new ParallelLoad.Source("reference", _options.ReferencePath, _reference, referenceDevice),
                new ParallelLoad.Source("aligned", _options.AlignedPath, _aligned, alignedDevice));
        PairLog.WeightsShared(_logger);
        return load.Run(new ParallelLoad.Source("shared", _options.ReferencePath, _reference, referenceDevice));
    }

    private LoadedPair Assemble(DecoderModel reference, DecoderModel aligned, int vocabularySize, int contextTokens)
    {
        var allocator = new CacheAllocator(_options, reference, aligned, contextTokens);
        var blocks = allocator.CountBlocks();
        var usable = UsableContext(contextTokens, blocks * _options.BlockTokens);
        var (referenceCache, alignedCache) = allocator.Allocate(blocks);
        var executor = new PairExecutor(new ModelRunner(reference, referenceCache), new ModelRunner(aligned, alignedCache),
            new ExecutorLimits(vocabularySize, usable, _options.BlockTokens, blocks));
        var pair = new LoadedPair(
            executor, Describe(reference, referenceCache), Describe(aligned, alignedCache), usable, ReferenceEquals(reference, aligned));
        Log("Reference", _options.ReferencePath, pair.Reference);
        Log("Aligned", _options.AlignedPath, pair.Aligned);
        PairLog.CacheAllocated(_logger, blocks, _options.BlockTokens, Mebibytes(referenceCache.Bytes + alignedCache.Bytes), usable);
        return pair;
    }

    private int ContextTokens()
    {
        var most = Math.Min(_reference.ContextTokens, _aligned.ContextTokens);
        if (_options.ContextTokens is not { } asked) return most;
        return asked >= 1 && asked <= most
            ? asked
            : throw new PairLoadException($"--context-length is {asked}; it must be from 1 to {most}, what both models take");
    }

    private int UsableContext(int contextTokens, int cacheTokens)
    {
        if (cacheTokens >= contextTokens) return contextTokens;
        if (_options.ContextTokens is not null)
            throw new PairLoadException($"--context-length is {contextTokens}, but the cache holds {cacheTokens} tokens; lower it or raise the cache");
        PairLog.ContextLowered(_logger, cacheTokens, contextTokens);
        return cacheTokens;
    }

    private int EffectiveVocabulary(int tokenizerSize)
    {
        var width = Math.Min(_reference.VocabularySize, _aligned.VocabularySize);
        if (tokenizerSize > width) PairLog.TokenizerWider(_logger, tokenizerSize, width);
        return Math.Min(tokenizerSize, width);
    }

    private static LoadedModel Describe(DecoderModel model, KvCache cache) =>
        new(model.Config, model.Device.ToString(), model.ElementType, model.Bytes, cache.Bytes);

    private void Log(string name, string folder, LoadedModel model) =>
        PairLog.ModelLoaded(_logger, name, folder, model.ElementType.ToString(), model.Device,
            Mebibytes(model.WeightBytes), Mebibytes(model.CacheBytes));

    private static double Mebibytes(long bytes) => bytes / (double)(1 << 20);

    private static string RealPath(string folder) =>
        new DirectoryInfo(folder).ResolveLinkTarget(returnFinalTarget: true)?.FullName
        ?? Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
}
