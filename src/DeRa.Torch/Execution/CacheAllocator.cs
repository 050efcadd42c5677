using System.Runtime.InteropServices;
using DeRa.Torch.Caching;
using DeRa.Torch.Models;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Torch.Execution;

/// <summary>Decides how many blocks a pair's caches get, and allocates both.</summary>
internal sealed class CacheAllocator(PairOptions options, DecoderModel reference, DecoderModel aligned, int contextTokens)
{
    private readonly bool _isOneDevice =
        reference.Device.type == aligned.Device.type && reference.Device.index == aligned.Device.index;

    /// <summary>As many blocks as asked for, or as a share of free memory holds; at least one.</summary>
    /// <exception cref="PairLoadException">There is no room for one, or nobody knows how much memory is free.</exception>
    public int CountBlocks()
    {
        var blocks = options switch
        {
            { CacheTokens: { } tokens } => tokens / options.BlockTokens,
            _ when _isOneDevice => DefaultBlocks(reference.Device, PairBlockBytes),
            _ => Math.Min(DefaultBlocks(reference.Device, BlockBytes(reference)), DefaultBlocks(aligned.Device, BlockBytes(aligned))),
        };
        return blocks >= 1 ? blocks : throw new PairLoadException(
            $"the caches have no room for one block of {options.BlockTokens} tokens, which takes {PairBlockBytes:N0} bytes: free memory or set --cache-tokens");
    }

    /// <summary>Allocates both caches.</summary>
    /// <exception cref="PairLoadException">Memory does not suffice.</exception>
    public (KvCache Reference, KvCache Aligned) Allocate(int blocks)
    {
        KvCache? first = null;
        try
        {
            first = AllocateOne(reference, blocks);
            return (first, AllocateOne(aligned, blocks));
        }
        catch (ExternalException exception)
        {
            first?.Dispose();
            throw new PairLoadException($"no memory for caches of {blocks} blocks, {blocks * PairBlockBytes:N0} bytes: "
                + $"lower --cache-tokens ({exception.Message.Split('\n')[0]})", exception);
        }
    }

    private KvCache AllocateOne(DecoderModel model, int blocks) =>
        new(model.Config, blocks, options.BlockTokens, model.Device, model.ElementType);

    private int DefaultBlocks(Device device, long bytesPerBlock)
    {
        var available = DeviceMemory.AvailableBytes(device)
            ?? throw new PairLoadException($"cannot find out how much memory {device} has free: set --cache-tokens");
        var (share, sequences) = device.type == TorchSharp.DeviceType.CUDA
            ? (CacheSize.DeviceShare, CacheSize.DeviceSequences)
            : (CacheSize.HostShare, CacheSize.HostSequences);
        return CacheSize.DefaultBlocks(available, share, sequences, contextTokens, bytesPerBlock, options.BlockTokens);
    }

    private long PairBlockBytes => BlockBytes(reference) + BlockBytes(aligned);

    private long BlockBytes(DecoderModel model) =>
        options.BlockTokens * model.Config.CacheBytesPerToken(StoredTypes.SizeBytes(model.ElementType));
}
