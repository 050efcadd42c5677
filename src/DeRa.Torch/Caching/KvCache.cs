using DeRa.Torch.Configuration;
using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>
/// The pool of keys and values of one model. It is passed to the model, not held by it. The scheduler decides which sequence owns
/// which block, and a block id is valid in every model's pool.
/// </summary>
internal sealed class KvCache : IDisposable
{
    private readonly int _blockCount;

    /// <summary>Allocates the pool, filled with zeros: memory that was never written must not hold NaN.</summary>
    /// <param name="config">The model's.</param>
    /// <param name="blockCount">How many blocks.</param>
    /// <param name="blockTokens">Tokens a block holds.</param>
    /// <param name="place">Its device, element type and layout.</param>
    public KvCache(ModelConfig config, int blockCount, int blockTokens, CachePlace place)
    {
        (_blockCount, BlockTokens) = (blockCount, blockTokens);
        using var scope = NewDisposeScope();
        var layers = Enumerable.Range(0, config.LayerCount).Select(_ => place.IsForKernels
            ? LayerCache.ForKernels(blockCount, config.KeyValueHeadCount, config.HeadDimension, blockTokens, place.Type)
            : LayerCache.ForOperators(
                (long)blockCount * blockTokens, config.KeyValueHeadCount, config.HeadDimension, place.Device, place.Type)).ToList();
        layers.ForEach(layer => scope.Detach(layer.Keys, layer.Values));
        Layers = layers;
    }

    /// <summary>One a layer.</summary>
    public IReadOnlyList<LayerCache> Layers { get; }

    /// <summary>Tokens a block holds.</summary>
    public int BlockTokens { get; }

    /// <summary>Memory it takes.</summary>
    public long Bytes => Layers.Sum(layer => 2 * layer.Keys.numel() * layer.Keys.ElementSize);

    /// <summary>Copies the contents of blocks in every layer; all are read before any is written.</summary>
    /// <param name="from">[copies]: the blocks to read.</param>
    /// <param name="to">[copies]: the blocks to write; distinct.</param>
    public void CopyBlocks(long[] from, long[] to)
    {
        using var scope = NewDisposeScope();
        var device = Layers[0].Keys.device;
        var (sources, targets) = (tensor(from, ScalarType.Int64, device), tensor(to, ScalarType.Int64, device));
        foreach (var layer in Layers)
        {
            Copy(layer.Keys);
            Copy(layer.Values);
        }

        void Copy(Tensor pool)
        {
            var blocks = pool.view(_blockCount, -1);
            blocks.index_copy_(0, targets, blocks.index_select(0, sources));
        }
    }

    /// <summary>Frees the pool.</summary>
    public void Dispose()
    {
        foreach (var layer in Layers) layer.Dispose();
    }
}
