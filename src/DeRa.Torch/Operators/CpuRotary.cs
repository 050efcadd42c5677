using System.Runtime.Intrinsics;
using DeRa.Torch.Caching;
using DeRa.Torch.Kernels;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// Rotary positions, and writing keys and values into the cache, on the CPU (<see cref="CpuKernels"/>): one call instead of a dozen, which
/// would take most of a small model's time. Rotations are those of libtorch's operators in float32 to the last bit.
/// </summary>
internal static unsafe class CpuRotary
{
    /// <summary>Rotates queries and keys, and writes keys and values into the cache.</summary>
    /// <param name="vectors">[tokens, at least heads + keyValueHeads, headDimension]: queries, then keys.</param>
    /// <param name="queryKeyValue">[tokens, heads + 2 · keyValueHeads, headDimension], which ends with the values.</param>
    /// <param name="angles">The tokens' rotations of the first dimensions of each head; null = no rotation.</param>
    /// <param name="slots">int64 [tokens].</param>
    /// <param name="pool">The layer's cache.</param>
    /// <param name="type">Its element type.</param>
    /// <returns>The rotated queries: [tokens, heads, headDimension].</returns>
    public static Tensor Apply(
        Tensor vectors, Tensor queryKeyValue, RotaryAngles? angles, Tensor slots, BlockPool pool, ScalarType type)
    {
        var (tokens, all) = ((int)slots.size(0), (int)queryKeyValue.size(1));
        var rotated = empty([queryKeyValue.size(0), all - 2 * pool.KeyValueHeads, pool.Dimension], ScalarType.Float32);
        fixed (float* from = CpuKernels.Elements(vectors), values = CpuKernels.Elements(queryKeyValue), to = CpuKernels.Elements(rotated),
            cosine = angles is null ? default : CpuKernels.Elements(angles.Cosine),
            sine = angles is null ? default : CpuKernels.Elements(angles.Sine))
        fixed (long* into = CpuKernels.Indices(slots))
        {
            var rows = new RotaryRows(
                from, (int)vectors.size(1), values, all, to, cosine, sine, angles is null ? 0 : (int)angles.Cosine.size(2), into, tokens);
            switch (type)
            {
                case ScalarType.Float32: new Writing<Float32Cache>(rows, pool).Run(); break;
                case ScalarType.BFloat16: new Writing<BFloat16Cache>(rows, pool).Run(); break;
                case ScalarType.Float16: new Writing<Float16Cache>(rows, pool).Run(); break;
                default: throw new ArgumentOutOfRangeException(nameof(type), type, message: null);
            }
        }
        return rotated;
    }

    /// <summary>What the tokens' vectors are, and where they go.</summary>
    private readonly struct RotaryRows(
        float* from, int fromHeads, float* values, int allHeads, float* to, float* cosine, float* sine, int pairs, long* slots, int tokens)
    {
        /// <summary>[tokens, <see cref="FromHeads"/>, headDimension]: queries, then keys.</summary>
        public float* From { get; } = from;

        public int FromHeads { get; } = fromHeads;

        /// <summary>[tokens, <see cref="AllHeads"/>, headDimension], which ends with the values.</summary>
        public float* Values { get; } = values;

        public int AllHeads { get; } = allHeads;

        /// <summary>[tokens, heads, headDimension].</summary>
        public float* To { get; } = to;

        /// <summary>[tokens, <see cref="Pairs"/>].</summary>
        public float* Cosine { get; } = cosine;

        /// <summary>[tokens, <see cref="Pairs"/>].</summary>
        public float* Sine { get; } = sine;

        /// <summary>Dimensions that are rotated with another.</summary>
        public int Pairs { get; } = pairs;

        /// <summary>[tokens].</summary>
        public long* Slots { get; } = slots;

        public int Tokens { get; } = tokens;
    }

    private sealed class Writing<TFormat>(RotaryRows rows, BlockPool pool) : IParallelWork where TFormat : struct, ICacheFormat
    {
        /// <summary>Tokens of an item.</summary>
        private const int ItemTokens = 16;

        /// <summary>Elements, some ten microseconds' worth, below which one thread finishes before others have started.</summary>
        private const long MinParallelElements = 1 << 15;

        private readonly int _heads = rows.AllHeads - 2 * pool.KeyValueHeads;

        public void Run()
        {
            var items = (rows.Tokens + ItemTokens - 1) / ItemTokens;
            if ((long)rows.Tokens * rows.AllHeads * pool.Dimension >= MinParallelElements) CpuPool.Shared.Run(this, items);
            else for (var item = 0; item < items; item++) Run(item);
        }

        public void Run(int item)
        {
            var key = stackalloc float[pool.Dimension];
            for (var token = item * ItemTokens; token < Math.Min(rows.Tokens, (item + 1) * ItemTokens); token++)
            {
                var dimension = pool.Dimension;
                var from = rows.From + (long)token * rows.FromHeads * dimension;
                var to = rows.To + (long)token * _heads * dimension;
                for (var head = 0; head < _heads; head++, from += dimension, to += dimension) Rotate(from, to, token);
                var value = rows.Values + ((long)(token + 1) * rows.AllHeads - pool.KeyValueHeads) * dimension;
                var (block, offset) = Math.DivRem((int)rows.Slots[token], pool.BlockTokens);
                for (var head = 0; head < pool.KeyValueHeads; head++, from += dimension, value += dimension)
                {
                    Rotate(from, key, token);
                    Store(key, pool.Keys(block, head) + offset * TFormat.ElementBytes, pool.BlockTokens);
                    Store(value, pool.Values(block, head) + offset * dimension * TFormat.ElementBytes, 1);
                }
            }
        }

        private void Store(float* from, byte* to, int stride)
        {
            for (var d = 0; d < pool.Dimension; d++, to += stride * TFormat.ElementBytes) TFormat.Store(from[d], to);
        }

        private void Rotate(float* from, float* to, int token)
        {
            var pairs = rows.Pairs;
            float* cosine = rows.Cosine + (long)token * pairs, sine = rows.Sine + (long)token * pairs;
            var i = 0;
            for (; i <= pairs - Vector256<float>.Count; i += Vector256<float>.Count)
            {
                var (first, second) = (Vector256.Load(from + i), Vector256.Load(from + pairs + i));
                var (c, s) = (Vector256.Load(cosine + i), Vector256.Load(sine + i));
                (first * c - second * s).Store(to + i);
                (second * c + first * s).Store(to + pairs + i);
            }
            for (; i < pairs; i++)
            {
                to[i] = from[i] * cosine[i] - from[pairs + i] * sine[i];
                to[pairs + i] = from[pairs + i] * cosine[i] + from[i] * sine[i];
            }
            for (i = 2 * pairs; i < pool.Dimension; i++) to[i] = from[i];
        }
    }
}
