using DeRa.Torch.Caching;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Rotary positions (arXiv 2104.09864), and writing keys and values into the cache.</summary>
internal static class RotaryCacheWrite
{
    /// <summary>
    /// Rotates queries and keys by their positions in float32 (dimension i pairs with i + rotaryDimension / 2, as Hugging Face stores
    /// the weights), and writes keys and values into the cache.
    /// </summary>
    /// <param name="queryKeyValue">[tokens, heads + 2 · keyValueHeads, headDimension].</param>
    /// <param name="headNorm">[heads + keyValueHeads, headDimension], float32: the norm of each query and key; null = none.</param>
    /// <param name="epsilon">Of that norm.</param>
    /// <param name="angles">The tokens' rotations of the first dimensions of each head; null = no rotation.</param>
    /// <param name="slots">[tokens], int64: where each token's key and value go; distinct.</param>
    /// <param name="cache">The layer's cache.</param>
    /// <returns>The rotated queries: [tokens, heads, headDimension].</returns>
    public static Tensor Apply(
        Tensor queryKeyValue, Tensor? headNorm, double epsilon, RotaryAngles? angles, Tensor slots, LayerCache cache)
    {
        if (cache.Pool is { } pool) return OnCpu(queryKeyValue, headNorm, epsilon, angles, slots, (pool, cache.Keys.dtype));
        var keyValueHeads = cache.Keys.size(1);
        var heads = queryKeyValue.size(1) - 2 * keyValueHeads;
        var rotated = Rotate(queryKeyValue.narrow(1, 0, heads + keyValueHeads), headNorm, epsilon, angles);
        cache.Keys.index_copy_(0, slots, rotated.narrow(1, heads, keyValueHeads));
        cache.Values.index_copy_(0, slots, queryKeyValue.narrow(1, heads + keyValueHeads, keyValueHeads));
        return rotated.narrow(1, 0, heads);
    }

    private static Tensor OnCpu(
        Tensor queryKeyValue, Tensor? headNorm, double epsilon, RotaryAngles? angles, Tensor slots, (BlockPool Pool, ScalarType Type) cache)
    {
        var vectors = headNorm is null ? queryKeyValue
            : Norm.RootMeanSquare(queryKeyValue.narrow(1, 0, headNorm.size(0)), headNorm, epsilon);
        return CpuRotary.Apply(vectors, queryKeyValue, angles, slots, cache.Pool, cache.Type);
    }

    private static Tensor Rotate(Tensor vectors, Tensor? headNorm, double epsilon, RotaryAngles? angles)
    {
        if (headNorm is null && angles is null) return vectors;
        var wide = vectors.to(ScalarType.Float32);
        if (headNorm is not null) wide = Norm.RootMeanSquare(wide, headNorm, epsilon);
        return (angles is null ? wide : Rotate(wide, angles)).to(vectors.dtype);
    }

    private static Tensor Rotate(Tensor wide, RotaryAngles angles)
    {
        var half = angles.Cosine.size(2);
        var (first, second) = (wide.narrow(2, 0, half), wide.narrow(2, half, half));
        var rotatedFirst = first * angles.Cosine - second * angles.Sine;
        var rotatedSecond = (second * angles.Cosine).PlusInPlace(first * angles.Sine);
        var still = wide.size(2) - 2 * half;
        return still == 0 ? cat([rotatedFirst, rotatedSecond], 2) : cat([rotatedFirst, rotatedSecond, wide.narrow(2, 2 * half, still)], 2);
    }
}
