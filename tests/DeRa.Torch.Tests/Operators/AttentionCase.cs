using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Kernels;
using DeRa.Torch.Models;
using DeRa.Torch.Operators;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>What heads and cache of an attention are like.</summary>
internal sealed record AttentionShape(int Heads, int KeyValueHeads, int Dimension, int BlockTokens)
{
    public int? Window { get; init; }

    public double? Scale { get; init; }

    public double? SoftCap { get; init; }

    public ScalarType Type { get; init; } = ScalarType.Float32;

    /// <summary>Tokens and position of each row.</summary>
    public (int Tokens, int Position)[] Rows { get; init; } = [(1, 0)];
}

/// <summary>Random queries and a random cache, each row's blocks scattered over it. Its tensors belong to the scope.</summary>
internal sealed class AttentionCase
{
    private readonly AttentionShape _shape;
    private readonly ModelRow[] _rows;

    public AttentionCase(AttentionShape shape, int seed)
    {
        _shape = shape;
        var random = new Random(seed);
        using var generator = new Generator((ulong)seed, CPU);
        var counts = shape.Rows.Select(row => (row.Tokens + row.Position + shape.BlockTokens - 1) / shape.BlockTokens).ToArray();
        var blocks = Enumerable.Range(0, counts.Sum()).ToArray();
        random.Shuffle(blocks);
        _rows = [.. shape.Rows.Select((row, i) => Row(row.Tokens, row.Position, blocks[counts[..i].Sum()..counts[..(i + 1)].Sum()]))];
        long slots = blocks.Length * shape.BlockTokens;
        Cache = BlockedCache.Of(
            Random(slots, shape.KeyValueHeads), Random(slots, shape.KeyValueHeads), shape.BlockTokens, shape.Type);
        Queries = Random(_rows.Sum(row => row.Tokens), shape.Heads);

        Tensor Random(long count, long heads) => randn([count, heads, shape.Dimension], generator: generator);
    }

    public LayerCache Cache { get; }

    /// <summary>[tokens, heads, headDimension]: the rows in order.</summary>
    public Tensor Queries { get; }

    /// <summary>Where a position of a row lies.</summary>
    public int Slot(int row, int position) =>
        _rows[row].Row.BlockTable[position / _shape.BlockTokens] * _shape.BlockTokens + position % _shape.BlockTokens;

    /// <summary>By libtorch's operators in float64, from the numbers that the cache holds: [tokens, heads · headDimension].</summary>
    public double[] Expected()
    {
        var cache = new LayerCache(Wide(BlockedCache.Keys(Cache)), Wide(BlockedCache.Values(Cache)));
        var attention = new BlockAttention(_shape.Scale, _shape.SoftCap);
        var results = _rows.Select((row, i) =>
        {
            // Chunks only: the operators' padded rows have tests of their own.
            var step = new ModelStep([row], [_shape.Window], _shape.BlockTokens, CPU, ScalarType.Float64);
            return attention.Apply(Wide(QueriesOf(i, 0, row.Tokens)), cache, step.PlanFor(_shape.Window)).data<double>().ToArray();
        });
        return [.. results.SelectMany(result => result)];

        static Tensor Wide(Tensor tensor) => tensor.contiguous().to(ScalarType.Float64);
    }

    /// <summary>All rows in one call.</summary>
    public float[] Run<TLanes>() where TLanes : struct, ILanes<TLanes> => Run<TLanes>([.. _rows.Select((row, i) => (i, 0, row.Tokens))]);

    /// <summary>Some tokens of some rows in one call; the same row may be there once.</summary>
    public float[] Run<TLanes>(params (int Row, int First, int Tokens)[] parts) where TLanes : struct, ILanes<TLanes>
    {
        using var scope = NewDisposeScope();
        var (attention, queries, plan) = Call(parts);
        return attention.Apply<TLanes>(queries, Cache.Pool!.Value, _shape.Type, plan).data<float>().ToArray();
    }

    /// <summary>Managed memory that all rows in one call take, after a first call, on the calling thread.</summary>
    public long Allocated()
    {
        using var scope = NewDisposeScope();
        var (attention, queries, plan) = Call([.. _rows.Select((row, i) => (i, 0, row.Tokens))]);
        attention.Apply(queries, Cache.Pool!.Value, _shape.Type, plan);
        var before = GC.GetAllocatedBytesForCurrentThread();
        attention.Apply(queries, Cache.Pool!.Value, _shape.Type, plan);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private (CpuAttention Attention, Tensor Queries, CpuPlan Plan) Call((int Row, int First, int Tokens)[] parts)
    {
        var contexts = new CpuContext[parts.Length];
        var (queries, first) = (new List<Tensor>(), 0);
        for (var i = 0; i < parts.Length; i++)
        {
            var row = _rows[parts[i].Row];
            contexts[i] = new CpuContext(first, parts[i].Tokens, row.Row.Position + parts[i].First, row.Slots(_shape.BlockTokens));
            queries.Add(QueriesOf(parts[i].Row, parts[i].First, parts[i].Tokens));
            first += parts[i].Tokens;
        }
        var longest = _rows.Max(row => row.End);
        var attention = new CpuAttention((float)(_shape.Scale ?? 1 / Math.Sqrt(_shape.Dimension)), (float?)_shape.SoftCap);
        var plan = new CpuPlan(contexts, Math.Min(_shape.Window ?? longest, longest));
        return (attention, cat(queries, 0), plan);
    }

    private Tensor QueriesOf(int row, int first, int tokens) =>
        Queries.narrow(0, _rows[..row].Sum(before => before.Tokens) + first, tokens);

    private static ModelRow Row(int tokens, int position, int[] blocks) => new(new PassRow
    {
        Branch = 0,
        Model = 0,
        Tokens = new int[tokens],
        Position = position,
        BlockTable = blocks,
        OutputCount = tokens,
    });
}
