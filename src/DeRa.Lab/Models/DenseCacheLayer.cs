using static TorchSharp.torch;

namespace DeRa.Lab.Models;

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
