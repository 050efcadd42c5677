using System.Runtime.Intrinsics;
using DeRa.Torch.Caching;

namespace DeRa.Torch.Operators;

/// <summary>What all work of one call of <see cref="CpuAttention"/> shares.</summary>
/// <param name="queries">[tokens, heads, headDimension].</param>
/// <param name="outputs">[tokens, heads, headDimension].</param>
/// <param name="heads">Query heads.</param>
/// <param name="pool">The layer's keys and values.</param>
/// <param name="scale">What scores are multiplied by.</param>
/// <param name="softCap">Bounds the scaled scores; null = no cap.</param>
internal readonly unsafe struct AttentionLayer(
    float* queries, float* outputs, int heads, BlockPool pool, float scale, float? softCap)
{
    /// <summary>Keys and values.</summary>
    public BlockPool Pool { get; } = pool;

    /// <summary>Query heads that share a key head.</summary>
    public int Group { get; } = heads / pool.KeyValueHeads;

    /// <summary>Elements of a query.</summary>
    public int Dimension { get; } = pool.Dimension;

    /// <summary>Elements of a query and of what becomes of it, in whole vectors of any width.</summary>
    public int PaddedDimension { get; } = (pool.Dimension + BlockPool.ReadBeyond - 1) / BlockPool.ReadBeyond * BlockPool.ReadBeyond;

    /// <summary>Bounds the scaled scores; null = no cap.</summary>
    public float? SoftCap { get; } = softCap;

    /// <summary>Copies the queries of a key head, scaled: tokens in order, in each its heads.</summary>
    /// <param name="firstToken">Of the step.</param>
    /// <param name="tokens">How many.</param>
    /// <param name="head">The key head.</param>
    /// <param name="to">[tokens · group, headDimension].</param>
    public void CopyQueries(int firstToken, int tokens, int head, float* to)
    {
        for (var token = firstToken; token < firstToken + tokens; token++)
        {
            var from = queries + Offset(token, head);
            for (var i = 0; i < Group * Dimension; i++) *to++ = from[i] * scale;
        }
    }

    /// <summary>Writes the output of one query: its row's sum over its total weight.</summary>
    /// <param name="token">Of the step.</param>
    /// <param name="head">The key head.</param>
    /// <param name="member">Which of the query heads that share it.</param>
    /// <param name="row">The query's row.</param>
    public void Finish(int token, int head, int member, AttentionRow row)
    {
        var to = outputs + Offset(token, head) + member * Dimension;
        var factor = 1 / row.Total;
        var d = 0;
        for (; d <= Dimension - Vector256<float>.Count; d += Vector256<float>.Count) (Vector256.Load(row.Sums + d) * factor).Store(to + d);
        for (; d < Dimension; d++) to[d] = row.Sums[d] * factor;
    }

    private long Offset(int token, int head) => ((long)token * heads + (long)head * Group) * Dimension;
}
