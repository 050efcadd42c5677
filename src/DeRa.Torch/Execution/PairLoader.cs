using DeRa.Engine.Scheduling;
using DeRa.Torch.Adapters;
using DeRa.Torch.Caching;
using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;
using Microsoft.Extensions.Logging;

namespace DeRa.Torch.Execution;

/// <summary>Loads the models of a pair and their caches.</summary>
public sealed class PairLoader
{
    private readonly PairOptions _options;
    private readonly ILogger _logger;
    private readonly IReadOnlyList<AlignedFolder> _members;
    private readonly IReadOnlyList<ModelConfig> _configs;

    private PairLoader(PairOptions options, ILogger logger)
    {
        (_options, _logger) = (options, logger);
        _members = [new AlignedFolder(ModelSource.ReferenceName, options.ReferencePath), .. options.Aligned];
        if (LoraConfig.IsIn(options.ReferencePath))
            throw new PairLoadException(
                $"--reference {options.ReferencePath} is an adapter; it must be the whole model that adapters are over");
        var reference = ModelConfigReader.Load(options.ReferencePath);
        _configs = [reference, .. options.Aligned.Select(
            model => LoraConfig.IsIn(model.Path) ? reference : ModelConfigReader.Load(model.Path))];
    }

    /// <summary>
    /// Loads all models in parallel, then allocates their caches. The tokenizers must have been found equal before. On failure, nothing
    /// stays allocated. Any thread; the executor then belongs to the engine's.
    /// </summary>
    /// <param name="options">What to load, and where.</param>
    /// <param name="vocabularySize">The tokenizer's size; output layers' padding beyond it is dropped.</param>
    /// <param name="progress">Receives bytes loaded, from the loading threads; may be null.</param>
    /// <param name="logger">Receives memory per model and for the cache.</param>
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
        if (options.LogitSlots < 0) throw new PairLoadException($"LogitSlots is {options.LogitSlots}; it must be at least 0");
    }

    private LoadedPair LoadPair(int vocabularySize, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        var contextTokens = ContextTokens();
        var (referenceDevice, alignedDevice) = _options.Device.Resolve(LibTorch.Load(_options.LibTorch));
        LibTorch.VerifyDevice(referenceDevice);
        LibTorch.VerifyDevice(alignedDevice);
        var sources = ModelSource.Find(_members, _configs, referenceDevice, alignedDevice)
            .Select(source => source with { Numbers = _options.Numbers }).ToList();
        foreach (var shared in sources.Where(source => source.Members.Count > 1))
            PairLog.WeightsShared(_logger, shared.Name, shared.Adapters.Count);
        var models = new ParallelLoad(progress, cancellation).Run(sources);
        HostMemory.Trim();
        foreach (var (source, model) in sources.Zip(models))
            if (source.Config.TiedEmbeddings && !model.Config.TiedEmbeddings) PairLog.StoredOutputUsed(_logger, source.Name, source.Folder);
        if (models.Any(model => model.IsPrefillByLibTorch)) PairLog.PrefillByLibTorch(_logger);
        try
        {
            return Assemble(sources, models, EffectiveVocabulary(vocabularySize), contextTokens);
        }
        catch
        {
            foreach (var model in models) model.Dispose();
            throw;
        }
    }

    private LoadedPair Assemble(
        List<ModelSource> sources, IReadOnlyList<DecoderModel> models, int vocabularySize, int contextTokens)
    {
        var allocator = new CacheAllocator(
            _options, [.. models.Zip(sources, (model, source) => (model, source.Members.Count))], contextTokens, vocabularySize);
        var blocks = allocator.CountBlocks();
        var usable = UsableContext(contextTokens, blocks * _options.BlockTokens);
        var caches = allocator.Allocate(blocks);
        var runners = models.Select((model, i) => new ModelRunner(model, caches[i].Cache, caches[i].Logits, sources[i].Members)).ToList();
        var executor = new PairExecutor(runners, new ExecutorLimits(vocabularySize, usable, _options.BlockTokens, blocks));
        var pair = new LoadedPair(executor, [.. _members.Select((member, i) => Describe(member, i, runners))], usable);
        foreach (var member in pair.Members) Log(member);
        PairLog.CacheAllocated(_logger, blocks, _options.BlockTokens, Mebibytes(pair.Members.Sum(member => member.CacheBytes)), usable,
            executor.Limits.LogitSlots, Mebibytes(allocator.LogitBytes));
        return pair;
    }

    private int ContextTokens()
    {
        var most = _configs.Min(config => config.ContextTokens);
        if (_options.ContextTokens is not { } asked) return most;
        return asked >= 1 && asked <= most
            ? asked
            : throw new PairLoadException($"--context-length is {asked}; it must be from 1 to {most}, the shortest context of the models");
    }

    private int UsableContext(int contextTokens, int cacheTokens)
    {
        if (cacheTokens >= contextTokens) return contextTokens;
        if (_options.ContextTokens is not null)
            throw new PairLoadException(
                $"--context-length is {contextTokens}, but the cache holds {cacheTokens} tokens; lower it or raise --cache-tokens");
        PairLog.ContextLowered(_logger, cacheTokens, contextTokens);
        return cacheTokens;
    }

    private int EffectiveVocabulary(int tokenizerSize)
    {
        var width = _configs.Min(config => config.VocabularySize);
        if (tokenizerSize > width) PairLog.TokenizerWider(_logger, tokenizerSize, width);
        return Math.Min(tokenizerSize, width);
    }

    private static LoadedMember Describe(AlignedFolder member, int index, IReadOnlyList<ModelRunner> runners)
    {
        var runner = runners.First(runner => runner.Members.Any(own => own.Index == index));
        var model = runner.Model;
        return new LoadedMember(member.Name, member.Path, model.Config, model.Device.ToString(), model.WeightType,
            model.Cache.Type, OwnBytes(runner, index), runner.Cache.Bytes / runner.Members.Count);
    }

    /// <summary>Memory of a member's own weights: its adapter's, or the model's for the first member that uses it.</summary>
    private static long OwnBytes(ModelRunner runner, int index)
    {
        var own = runner.Members.First(member => member.Index == index);
        if (runner.Members.First(member => member.Adapter == own.Adapter).Index != index) return 0;
        var adapters = runner.Members.Select(member => member.Adapter).OfType<int>().Distinct();
        return own.Adapter is { } adapter ? runner.Model.AdapterBytes(adapter)
            : runner.Model.Bytes - adapters.Sum(runner.Model.AdapterBytes);
    }

    private void Log(LoadedMember member) =>
        PairLog.ModelLoaded(_logger, member.Name, member.Folder, member.ElementType.ToString(), member.Device,
            Mebibytes(member.WeightBytes), Mebibytes(member.CacheBytes), member.CacheType.ToString());

    private static double Mebibytes(long bytes) => bytes / (double)(1 << 20);
}
