using DeRa.Torch.Caching;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>The one door to rotary positions (arXiv 2104.09864) and to writing keys and values into the cache.</summary>
internal static class RotaryCacheWrite
{
    /// <summary>
    /// Turns queries and keys by their positions (dimension i pairs with i + headDimension / 2, as Hugging Face stores the
    /// weights), computed in float32, and writes keys and values into the cache.
    /// </summary>
    /// <param name="queryKeyValue">[tokens, heads + 2 · keyValueHeads, headDimension].</param>
    /// <param name="angles">The tokens' rotations.</param>
    /// <param name="slots">[tokens], int64: where each token's key and value go; no slot twice.</param>
    /// <param name="cache">The layer's cache.</param>
    /// <returns>The turned queries: [tokens, heads, headDimension].</returns>
    public static Tensor Apply(Tensor queryKeyValue, RotaryAngles angles, Tensor slots, LayerCache cache)
    {
        var keyValueHeads = cache.Keys.size(1);
        var heads = queryKeyValue.size(1) - 2 * keyValueHeads;
        var turned = Turn(queryKeyValue.narrow(1, 0, heads + keyValueHeads), angles);
        cache.Keys.index_copy_(0, slots, turned.narrow(1, heads, keyValueHeads));
        cache.Values.index_copy_(0, slots, queryKeyValue.narrow(1, heads + keyValueHeads, keyValueHeads));
        return turned.narrow(1, 0, heads);
    }

    private static Tensor Turn(Tensor vectors, RotaryAngles angles)
    {
        var half = vectors.size(2) / 2;
        var wide = vectors.to(ScalarType.Float32);
        var (first, second) = (wide.narrow(2, 0, half), wide.narrow(2, half, half));
        var turned = cat([first * angles.Cosine - second * angles.Sine, second * angles.Cosine + first * angles.Sine], 2);
        return turned.to(vectors.dtype);
    }
}
