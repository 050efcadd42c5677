using System.Numerics;
using System.Runtime.Intrinsics;
using DeRa.Torch.Caching;
using DeRa.Torch.Kernels;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// Attention in float32 on the CPU, straight from the block pool (<see cref="CpuKernels"/>). What a token gets is computed from its
/// own query and the keys and values in its context, in a fixed order: positions ascending, eight dimensions side by side.
/// </summary>
/// <param name="scale">What scores are multiplied by.</param>
/// <param name="softCap">Bounds the scaled scores; null = no cap.</param>
internal sealed unsafe class CpuAttention(float scale, float? softCap)
{
    /// <summary>Tokens of one unit of work.</summary>
    private const int TileTokens = 16;

    /// <summary>Multiplications, about a millisecond's worth, below which one thread finishes before others have started.</summary>
    private const long MinParallelWork = 1 << 24;

    [ThreadStatic]
    private static float[]? s_weights;

    [ThreadStatic]
    private static int[]? s_slots;

    /// <summary>softmax(cap(query · keysᵀ · scale)) · values, over what each token may attend to.</summary>
    /// <param name="query">[tokens, heads, headDimension], float32.</param>
    /// <param name="cache">The layer's cache, which holds the step's own keys and values already.</param>
    /// <param name="plan">The rows, in the order of their tokens.</param>
    /// <returns>[tokens, heads · headDimension].</returns>
    public Tensor Apply(Tensor query, LayerCache cache, CpuPlan plan)
    {
        var contiguous = query.is_contiguous() ? query : query.contiguous();
        var (tokens, heads, dimension) = (query.size(0), (int)query.size(1), (int)query.size(2));
        var output = empty([tokens, heads * dimension], ScalarType.Float32);
        var keyValueHeads = (int)cache.Keys.size(1);
        fixed (float* queries = CpuKernels.Elements(contiguous), keys = CpuKernels.Elements(cache.Keys),
            values = CpuKernels.Elements(cache.Values), outputs = CpuKernels.Elements(output))
        {
            var layer = new Layer(queries, keys, values, outputs, heads, keyValueHeads, dimension);
            var isParallel = Work(plan) * heads * dimension >= MinParallelWork;
            var tiles = Tiles(plan, keyValueHeads, headsAtOnce: isParallel ? 1 : keyValueHeads);
            if (isParallel) CpuPool.Shared.Run(new TileWork(this, layer, tiles), tiles.Count);
            else foreach (var tile in tiles) Run(layer, tile);
        }
        return output;
    }

    /// <summary>Pairs of a token and a position that it may see, or about as many.</summary>
    private static long Work(CpuPlan plan)
    {
        var work = 0L;
        foreach (var context in plan.Contexts)
            work += (long)context.Tokens * (context.Position + context.Tokens - context.FirstSeen(token: 0, plan.Window));
        return work;
    }

    private static List<Tile> Tiles(CpuPlan plan, int keyValueHeads, int headsAtOnce)
    {
        var tiles = new List<Tile>(plan.Contexts.Length);
        foreach (var context in plan.Contexts)
            for (var first = 0; first < context.Tokens; first += TileTokens)
                for (var head = 0; head < keyValueHeads; head += headsAtOnce)
                    tiles.Add(new Tile(
                        context, plan.Window, first, Math.Min(first + TileTokens, context.Tokens), head, head + headsAtOnce));
        return tiles;
    }

    private void Run(Layer layer, Tile tile)
    {
        var context = tile.Context;
        var start = context.FirstSeen(tile.FirstToken, tile.Window);
        var length = context.Position + tile.EndToken - start;
        Reserve(length);
        context.Slots.Fill(start, s_slots.AsSpan(0, length));
        var group = layer.Heads / layer.KeyValueHeads;
        fixed (int* slots = s_slots)
        fixed (float* weights = s_weights)
            for (var head = tile.FirstHead; head < tile.EndHead; head++)
                for (var token = tile.FirstToken; token < tile.EndToken; token++)
                {
                    var first = context.FirstSeen(token, tile.Window);
                    var count = context.Position + token + 1 - first;
                    var offset = ((context.FirstToken + token) * (long)layer.Heads + head * group) * layer.Dimension;
                    for (var end = offset + group * layer.Dimension; offset < end; offset += layer.Dimension)
                        Attend(layer, head, layer.Queries + offset, slots + first - start, count, weights, layer.Outputs + offset);
                }
    }

    /// <summary>Room for a context, by powers of two: contexts grow token by token.</summary>
    private static void Reserve(int length)
    {
        if (s_slots?.Length >= length) return;
        s_slots = new int[BitOperations.RoundUpToPowerOf2((uint)length)];
        s_weights = new float[s_slots.Length + Vector256<float>.Count];
    }

    private void Attend(Layer layer, int head, float* query, int* slots, int count, float* weights, float* output)
    {
        var stride = (long)layer.KeyValueHeads * layer.Dimension;
        var keys = layer.Keys + head * (long)layer.Dimension;
        var values = layer.Values + head * (long)layer.Dimension;
        var i = 0;
        for (; i <= count - 4; i += 4)
            Dots(query, keys + slots[i] * stride, keys + slots[i + 1] * stride, keys + slots[i + 2] * stride, keys + slots[i + 3] * stride,
                layer.Dimension, scale).Store(weights + i);
        for (; i < count; i++)
        {
            var key = keys + slots[i] * stride;
            weights[i] = Dots(query, key, key, key, key, layer.Dimension, scale)[0];
        }
        var total = Exponentiate(weights, count);
        Add(values, stride, slots, count, weights, output, layer.Dimension, 1 / total);
    }

    /// <summary>
    /// A query times four keys, times the scale: four at once, since the additions of a single product wait for each other.
    /// </summary>
    private static Vector128<float> Dots(float* query, float* first, float* second, float* third, float* fourth, int dimension, float scale)
    {
        Vector256<float> a = default, b = default, c = default, e = default;
        var d = 0;
        for (; d <= dimension - Vector256<float>.Count; d += Vector256<float>.Count)
        {
            var part = Vector256.Load(query + d);
            a = Vector256.FusedMultiplyAdd(part, Vector256.Load(first + d), a);
            b = Vector256.FusedMultiplyAdd(part, Vector256.Load(second + d), b);
            c = Vector256.FusedMultiplyAdd(part, Vector256.Load(third + d), c);
            e = Vector256.FusedMultiplyAdd(part, Vector256.Load(fourth + d), e);
        }
        var sums = Vector128.Create(Vector256.Sum(a), Vector256.Sum(b), Vector256.Sum(c), Vector256.Sum(e));
        for (; d < dimension; d++)
            sums = Vector128.FusedMultiplyAdd(Vector128.Create(query[d]), Vector128.Create(first[d], second[d], third[d], fourth[d]), sums);
        return sums * scale;
    }

    /// <summary>Scores become exp(score − largest), not yet normalised; returns their sum.</summary>
    private float Exponentiate(float* scores, int count)
    {
        // Padding adds exp(−∞) = 0.
        var end = (count + Vector256<float>.Count - 1) / Vector256<float>.Count * Vector256<float>.Count;
        for (var i = count; i < end; i++) scores[i] = float.NegativeInfinity;
        if (softCap is { } cap)
            for (var i = 0; i < count; i += Vector256<float>.Count)
                CpuActivation.SoftCap(Vector256.Load(scores + i), cap).Store(scores + i);
        for (var i = count; i < end; i++) scores[i] = float.NegativeInfinity;
        var most = float.NegativeInfinity;
        for (var i = 0; i < count; i++) most = MathF.Max(most, scores[i]);
        var sum = Vector256<float>.Zero;
        for (var i = 0; i < end; i += Vector256<float>.Count)
        {
            var weights = CpuActivation.Exp(Vector256.Load(scores + i) - Vector256.Create(most));
            weights.Store(scores + i);
            sum += weights;
        }
        return Vector256.Sum(sum);
    }

    private static void Add(float* values, long stride, int* slots, int count, float* weights, float* output, int dimension, float factor)
    {
        const int Lanes = 8;
        var d = 0;
        for (; d <= dimension - 4 * Lanes; d += 4 * Lanes)
        {
            Vector256<float> a = default, b = default, c = default, e = default;
            for (var i = 0; i < count; i++)
            {
                var value = values + slots[i] * stride + d;
                var weight = Vector256.Create(weights[i]);
                a = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value), a);
                b = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + Lanes), b);
                c = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + 2 * Lanes), c);
                e = Vector256.FusedMultiplyAdd(weight, Vector256.Load(value + 3 * Lanes), e);
            }
            (a * factor).Store(output + d);
            (b * factor).Store(output + d + Lanes);
            (c * factor).Store(output + d + 2 * Lanes);
            (e * factor).Store(output + d + 3 * Lanes);
        }
        for (; d <= dimension - Lanes; d += Lanes)
        {
            Vector256<float> sum = default;
            for (var i = 0; i < count; i++)
                sum = Vector256.FusedMultiplyAdd(Vector256.Create(weights[i]), Vector256.Load(values + slots[i] * stride + d), sum);
            (sum * factor).Store(output + d);
        }
        for (; d < dimension; d++)
        {
            var sum = 0f;
            for (var i = 0; i < count; i++) sum = MathF.FusedMultiplyAdd(weights[i], values[slots[i] * stride + d], sum);
            output[d] = sum * factor;
        }
    }

    /// <summary>What all tiles of a layer share.</summary>
    private readonly struct Layer(float* queries, float* keys, float* values, float* outputs, int heads, int keyValueHeads, int dimension)
    {
        public float* Queries { get; } = queries;

        public float* Keys { get; } = keys;

        public float* Values { get; } = values;

        public float* Outputs { get; } = outputs;

        public int Heads { get; } = heads;

        public int KeyValueHeads { get; } = keyValueHeads;

        public int Dimension { get; } = dimension;
    }

    private sealed class TileWork(CpuAttention attention, Layer layer, List<Tile> tiles) : IParallelWork
    {
        public void Run(int item) => attention.Run(layer, tiles[item]);
    }

    /// <summary>Tokens [FirstToken, EndToken) of a row, for the query heads of key heads [FirstHead, EndHead).</summary>
    private readonly record struct Tile(
        CpuContext Context, int Window, int FirstToken, int EndToken, int FirstHead, int EndHead);
}
