using DeRa.Torch.Configuration;
using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>Keys and values of a batch of rows that advance together. Owned by whoever samples.</summary>
internal sealed class DenseCache : IDisposable
{
    private readonly DenseCacheLayer[] _layers;

    /// <summary>Makes room for <paramref name="capacity"/> tokens in each of <paramref name="rows"/> rows.</summary>
    public DenseCache(ModelConfig config, long rows, int capacity, Device device)
    {
        _layers = [.. Enumerable.Range(0, config.LayerCount).Select(_ => new DenseCacheLayer(this, Room(), Room()))];

        Tensor Room() =>
            zeros([rows, config.KeyValueHeadCount, capacity, config.HeadDimension], device: device).DetachFromDisposeScope();
    }

    /// <summary>Tokens that every row has read.</summary>
    public long Tokens { get; private set; }

    /// <summary>One layer's part.</summary>
    public DenseCacheLayer Layer(int layer) => _layers[layer];

    /// <summary>Counts tokens that every layer has taken.</summary>
    public void Advance(long tokens) => Tokens += tokens;

    /// <summary>Keeps some of the rows.</summary>
    /// <param name="rows">[kept], int64.</param>
    public void Keep(Tensor rows) => Array.ForEach(_layers, layer => layer.Keep(rows));

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_layers, layer => layer.Dispose());
}
