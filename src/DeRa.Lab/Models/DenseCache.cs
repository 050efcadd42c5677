using DeRa.Torch.Configuration;
using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>Keys and values of a batch of rows that advance together. Owned by the sampler.</summary>
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

    /// <summary>Counts tokens that every layer has appended.</summary>
    public void Advance(long tokens) => Tokens += tokens;

    /// <summary>Keeps some of the rows.</summary>
    /// <param name="rows">[kept], int64.</param>
    public void Keep(Tensor rows) => Array.ForEach(_layers, layer => layer.Keep(rows));

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_layers, layer => layer.Dispose());
}

/// <summary>One layer of a <see cref="DenseCache"/>: [rows, keyValueHeads, capacity, headDimension], float32.</summary>
internal sealed class DenseCacheLayer(DenseCache cache, Tensor keys, Tensor values) : IDisposable
{
    private Tensor _keys = keys, _values = values;

    /// <summary>Adds the newest keys and values, [rows, keyValueHeads, tokens, headDimension], and returns all so far.</summary>
    public (Tensor Keys, Tensor Values) Append(Tensor newest, Tensor newestValues)
    {
        var (start, count) = (cache.Tokens, newest.size(2));
        _keys.narrow(2, start, count).copy_(newest);
        _values.narrow(2, start, count).copy_(newestValues);
        return (_keys.narrow(2, 0, start + count), _values.narrow(2, 0, start + count));
    }

    /// <summary>Keeps some of the rows.</summary>
    /// <param name="rows">[kept], int64.</param>
    public void Keep(Tensor rows)
    {
        using var scope = NewDisposeScope();
        var (keptKeys, keptValues) = (_keys.index_select(0, rows), _values.index_select(0, rows));
        Dispose();
        (_keys, _values) = (keptKeys.DetachFromDisposeScope(), keptValues.DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _keys.Dispose();
        _values.Dispose();
    }
}
