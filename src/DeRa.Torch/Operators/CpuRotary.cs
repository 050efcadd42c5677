using DeRa.Torch.Caching;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// Rotary positions, and writing keys and values into the cache, in float32 on the CPU (<see cref="CpuKernels"/>): one call instead
/// of a dozen, which would take most of a small model's time. The results are those of libtorch's operators to the last bit.
/// </summary>
internal static class CpuRotary
{
    /// <summary>Rotates queries and keys, and writes keys and values into the cache.</summary>
    /// <param name="vectors">[tokens, at least heads + keyValueHeads, headDimension]: queries, then keys.</param>
    /// <param name="queryKeyValue">[tokens, heads + 2 · keyValueHeads, headDimension], which ends with the values.</param>
    /// <param name="angles">The tokens' rotations of the first dimensions of each head; null = no rotation.</param>
    /// <param name="slots">int64 [tokens].</param>
    /// <param name="cache">The layer's cache.</param>
    /// <returns>The rotated queries: [tokens, heads, headDimension].</returns>
    public static Tensor Apply(Tensor vectors, Tensor queryKeyValue, RotaryAngles? angles, Tensor slots, LayerCache cache)
    {
        var (keyValueHeads, dimension) = ((int)cache.Keys.size(1), (int)cache.Keys.size(2));
        var heads = (int)queryKeyValue.size(1) - 2 * keyValueHeads;
        var rotated = empty([queryKeyValue.size(0), heads, dimension], ScalarType.Float32);
        var written = CpuKernels.Indices(slots);
        var queries = new Rows(rotated);
        var keys = new Rows(cache.Keys);
        var values = new Rows(cache.Values);
        var from = new Rows(vectors);
        var all = new Rows(queryKeyValue);
        var cosines = angles is null ? default : new Rows(angles.Cosine);
        var sines = angles is null ? default : new Rows(angles.Sine);
        for (var token = 0; token < written.Length; token++)
        {
            var own = from[token];
            var slot = (int)written[token];
            Rotate(own[..queries.Width], queries[token], dimension, cosines[token], sines[token]);
            Rotate(own.Slice(queries.Width, keys.Width), keys[slot], dimension, cosines[token], sines[token]);
            all[token][^values.Width..].CopyTo(values[slot]);
        }
        return rotated;
    }

    private static void Rotate(
        ReadOnlySpan<float> from, Span<float> to, int dimension, ReadOnlySpan<float> cosine, ReadOnlySpan<float> sine)
    {
        for (var head = 0; head < from.Length; head += dimension)
        {
            var first = from.Slice(head, cosine.Length);
            var second = from.Slice(head + cosine.Length, cosine.Length);
            var rotatedFirst = to.Slice(head, cosine.Length);
            var rotatedSecond = to.Slice(head + cosine.Length, cosine.Length);
            for (var i = 0; i < cosine.Length; i++)
            {
                rotatedFirst[i] = first[i] * cosine[i] - second[i] * sine[i];
                rotatedSecond[i] = second[i] * cosine[i] + first[i] * sine[i];
            }
            var still = head + 2 * cosine.Length;
            from[still..(head + dimension)].CopyTo(to[still..]);
        }
    }

    /// <summary>A contiguous tensor's elements along its first dimension.</summary>
    private readonly ref struct Rows(Tensor tensor)
    {
        private readonly Span<float> _elements = CpuKernels.Elements(tensor);

        /// <summary>Elements of a row.</summary>
        public int Width { get; } = (int)(tensor.numel() / tensor.size(0));

        public Span<float> this[int row] => _elements.Slice(row * Width, Width);
    }
}
