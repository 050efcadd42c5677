using System.Runtime.InteropServices;
using DeRa.Torch.Caching;
using DeRa.Torch.Models;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>
/// Decides how many blocks a pair's caches get, and allocates them: one pool a model, with a part for each of its members.
/// </summary>
internal sealed class CacheAllocator(
    PairOptions options, IReadOnlyList<(DecoderModel Model, int Members)> models, int contextTokens)
{
    /// <summary>As many blocks as requested, or as fit into a share of free memory; at least one.</summary>
    /// <exception cref="PairLoadException">There is no room for one, or free memory is unknown.</exception>
    public int CountBlocks() => options.CacheTokens is { } tokens
        ? tokens / options.BlockTokens
        : models.GroupBy(model => model.Model.Device.ToString())
            .Min(device => DefaultBlocks(device.First().Model.Device, BlockBytes(device)));

    /// <summary>Allocates the caches, one a model, in order.</summary>
    /// <exception cref="PairLoadException">Out of memory.</exception>
    public IReadOnlyList<KvCache> Allocate(int blocks)
    {
        var caches = new List<KvCache>(models.Count);
        try
        {
            foreach (var (model, members) in models)
                caches.Add(new KvCache(model.Config, blocks * members, options.BlockTokens, model.Device, model.ElementType));
            return caches;
        }
        catch (ExternalException exception)
        {
            caches.ForEach(cache => cache.Dispose());
            throw new PairLoadException($"not enough memory for caches of {blocks} blocks, {blocks * BlockBytes(models):N0} bytes: "
                + $"lower --cache-tokens ({exception.Message.Split('\n')[0]})", exception);
        }
    }

    private int DefaultBlocks(Device device, long bytesPerBlock)
    {
        var isCuda = device.type == TorchSharp.DeviceType.CUDA;
        var available = (isCuda ? CudaMemory.FreeBytes(device.index) : HostMemory.AvailableBytes())
            ?? throw new PairLoadException($"free memory of {device} is unknown: set --cache-tokens");
        var (share, sequences) = isCuda
            ? (CacheSize.DeviceShare, CacheSize.DeviceSequences)
            : (CacheSize.HostShare, CacheSize.HostSequences);
        var blocks = CacheSize.DefaultBlocks(available, share, sequences, contextTokens, bytesPerBlock, options.BlockTokens);
        return blocks >= 1 ? blocks : throw new PairLoadException($"the caches have no room for one block of {options.BlockTokens} tokens, "
            + $"which takes {bytesPerBlock:N0} bytes: {available:N0} bytes are free on {device}, of which caches take {share:P0}; "
            + "set --cache-tokens to take more, or free memory");
    }

    /// <summary>Bytes of one block in the pools of all members of these models.</summary>
    private long BlockBytes(IEnumerable<(DecoderModel Model, int Members)> some) => some.Sum(model =>
        model.Members * options.BlockTokens * model.Model.Config.CacheBytesPerToken(StoredTypes.SizeBytes(model.Model.ElementType)));
}
