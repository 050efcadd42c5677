using DeRa.Torch.Caching;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>Caches as our own kernels lay them out, from and to [slots, keyValueHeads, headDimension].</summary>
internal static class BlockedCache
{
    /// <summary>Owned by the caller's scope.</summary>
    public static LayerCache Of(Tensor keys, Tensor values, int blockTokens, ScalarType type)
    {
        var (slots, heads, dimension) = (keys.size(0), keys.size(1), keys.size(2));
        var cache = LayerCache.ForKernels((int)(slots / blockTokens), (int)heads, (int)dimension, blockTokens, type);
        cache.Keys.copy_(keys.view(-1, blockTokens, heads, dimension).permute(0, 2, 3, 1));
        cache.Values.copy_(values.view(-1, blockTokens, heads, dimension).permute(0, 2, 1, 3));
        return cache;
    }

    /// <summary>[slots, keyValueHeads, headDimension].</summary>
    public static Tensor Keys(LayerCache cache) => cache.Keys.permute(0, 3, 1, 2).flatten(0, 1);

    /// <summary>[slots, keyValueHeads, headDimension].</summary>
    public static Tensor Values(LayerCache cache) => cache.Values.permute(0, 2, 1, 3).flatten(0, 1);
}
