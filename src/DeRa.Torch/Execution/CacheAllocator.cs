using System.Runtime.InteropServices;
using DeRa.Engine;
using DeRa.Torch.Caching;
using DeRa.Torch.Decoding;
using DeRa.Torch.Models;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Decides how many blocks a pair's caches get, and allocates them: one pool a model, with a part for each of its members. Allocates
/// the kept logits too, one store a device, which come before the caches.
/// </summary>
internal sealed class CacheAllocator(
    PairOptions options, IReadOnlyList<(DecoderModel Model, int Members)> models, int contextTokens, int vocabularySize)
{
    private readonly int _logitSlots = options.LogitSlots ?? new EngineOptions().LogitSlots(1 + options.Aligned.Count);

    /// <summary>Memory of the kept logits of all devices.</summary>
    public long LogitBytes => LogitStore.BytesOf(_logitSlots, vocabularySize)
        * models.Select(model => model.Model.Device.ToString()).Distinct().Count();

    /// <summary>As many blocks as requested, or as fit into a share of free memory; at least one.</summary>
    /// <exception cref="PairLoadException">There is no room for one, or free memory is unknown.</exception>
    public int CountBlocks() => options.CacheTokens is { } tokens
        ? tokens / options.BlockTokens
        : models.GroupBy(model => model.Model.Device.ToString())
            .Min(device => DefaultBlocks(device.First().Model.Device, BlockBytes(device)));

    /// <summary>Allocates each model's cache, and its device's kept logits, in the models' order.</summary>
    /// <exception cref="PairLoadException">Out of memory.</exception>
    public IReadOnlyList<(KvCache Cache, LogitStore Logits)> Allocate(int blocks)
    {
        var caches = new List<(KvCache Cache, LogitStore Logits)>(models.Count);
        var stores = new Dictionary<string, LogitStore>();
        try
        {
            foreach (var (model, _) in models)
                if (!stores.ContainsKey(model.Device.ToString()))
                    stores.Add(model.Device.ToString(), new LogitStore(_logitSlots, vocabularySize, model.Device));
            foreach (var (model, members) in models)
                caches.Add((new KvCache(model.Config, blocks * members, options.BlockTokens, model.Cache),
                    stores[model.Device.ToString()]));
            return caches;
        }
        catch (ExternalException exception)
        {
            caches.ForEach(own => own.Cache.Dispose());
            foreach (var store in stores.Values) store.Dispose();
            throw new PairLoadException($"not enough memory for caches of {blocks} blocks, {blocks * BlockBytes(models):N0} bytes, and "
                + $"{LogitBytes:N0} bytes of kept logits: lower --cache-tokens ({exception.Message.Split('\n')[0]})", exception);
        }
    }

    private int DefaultBlocks(Device device, long bytesPerBlock)
    {
        var isCuda = device.type == TorchSharp.DeviceType.CUDA;
        var available = (isCuda ? CudaMemory.FreeBytes(device.index) : HostMemory.AvailableBytes())
            ?? throw new PairLoadException($"free memory of {device} is unknown: set --cache-tokens");
        available = Math.Max(0, available - LogitStore.BytesOf(_logitSlots, vocabularySize));
        var (share, sequences) = isCuda
            ? (CacheSize.DeviceShare, CacheSize.DeviceSequences)
            : (CacheSize.HostShare, CacheSize.HostSequences);
        var blocks = CacheSize.DefaultBlocks(available, share, sequences, contextTokens, bytesPerBlock, options.BlockTokens);
        return blocks >= 1 ? blocks : throw new PairLoadException($"the caches have no room for one block of {options.BlockTokens} tokens, "
            + $"which takes {bytesPerBlock:N0} bytes: {available:N0} bytes are free on {device} beside kept logits, of which caches take "
            + $"{share:P0}; set --cache-tokens to take more, or free memory");
    }

    /// <summary>Bytes of one block in the pools of all members of these models.</summary>
    private long BlockBytes(IEnumerable<(DecoderModel Model, int Members)> some) => some.Sum(model =>
        model.Members * options.BlockTokens * model.Model.Config.CacheBytesPerToken(StoredTypes.SizeBytes(model.Model.Cache.Type)));
}
