using DeRa.Torch.Configuration;
using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>
/// The pool of keys and values of one model. It is passed to the model, not held by it. The scheduler decides which sequence owns
/// which block, and a block id is valid in every model's pool.
/// </summary>
internal sealed class KvCache : IDisposable
{
    /// <summary>Allocates the pool, filled with zeros: memory that was never written must not hold NaN.</summary>
    public KvCache(ModelConfig config, int blockCount, int blockTokens, Device device, ScalarType type)
    {
        BlockTokens = blockTokens;
        using var scope = NewDisposeScope();
        var layers = Enumerable.Range(0, config.LayerCount).Select(_ => new LayerCache(Pool(), Pool())).ToList();
        layers.ForEach(layer => scope.Detach(layer.Keys, layer.Values));
        Layers = layers;

        Tensor Pool() => zeros(
            (long)blockCount * blockTokens, config.KeyValueHeadCount, config.HeadDimension, dtype: type, device: device);
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
            var blocks = pool.view(-1, BlockTokens, pool.size(1), pool.size(2));
            blocks.index_copy_(0, targets, blocks.index_select(0, sources));
        }
    }

    /// <summary>Frees the pool.</summary>
    public void Dispose()
    {
        foreach (var layer in Layers)
        {
            layer.Keys.Dispose();
            layer.Values.Dispose();
        }
    }
}

/// <summary>One layer's part of a <see cref="KvCache"/>. Slot = block id · block tokens + offset.</summary>
/// <param name="Keys">[slots, keyValueHeads, headDimension], rotary positions applied.</param>
/// <param name="Values">[slots, keyValueHeads, headDimension].</param>
internal sealed record LayerCache(Tensor Keys, Tensor Values);
