using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>One layer's part of a <see cref="KvCache"/>. Slot = block id · block tokens + offset.</summary>
/// <param name="Keys">[slots, keyValueHeads, headDimension], rotary positions applied; with <see cref="Pool"/>, laid out as that.</param>
/// <param name="Values">[slots, keyValueHeads, headDimension]; with <see cref="Pool"/>, laid out as that.</param>
internal sealed record LayerCache(Tensor Keys, Tensor Values) : IDisposable
{
    /// <summary>How our own kernels see it; null where libtorch's operators use it.</summary>
    public BlockPool? Pool { get; private init; }

    /// <summary>Allocates one for libtorch's operators, filled with zeros.</summary>
    public static LayerCache ForOperators(long slots, int keyValueHeads, int dimension, Device device, ScalarType type) => new(
        zeros([slots, keyValueHeads, dimension], type, device), zeros([slots, keyValueHeads, dimension], type, device));

    /// <summary>Allocates one for our own kernels, filled with zeros.</summary>
    public static unsafe LayerCache ForKernels(int blocks, int keyValueHeads, int dimension, int blockTokens, ScalarType type)
    {
        using var scope = NewDisposeScope();
        var keys = zeros([blocks, keyValueHeads, dimension, blockTokens], type);
        var size = keys.numel();
        var values = zeros([size + BlockPool.ReadBeyond], type).narrow(0, 0, size).view(blocks, keyValueHeads, blockTokens, dimension);
        var pool = new BlockPool(Start(keys), Start(values), keyValueHeads, dimension, blockTokens, (int)keys.ElementSize);
        scope.MoveToOuter(keys, values);
        return new LayerCache(keys, values) { Pool = pool };
    }

    /// <summary>Frees it.</summary>
    public void Dispose()
    {
        Keys.Dispose();
        Values.Dispose();
    }

    private static unsafe byte* Start(Tensor tensor)
    {
        // A span of all would be too long for a large pool; native memory does not move.
        using var first = tensor.narrow(0, 0, 1);
        fixed (byte* start = first.bytes) return start;
    }
}
