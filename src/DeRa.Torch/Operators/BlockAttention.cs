using DeRa.Torch.Caching;
using DeRa.Torch.Native;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// Attention over the block pool. Query heads that share a key head are a dimension of the query, so keys are not copied for each.
/// Softmax is in float32.
/// </summary>
/// <param name="scale">What scores are multiplied by; null = 1 / sqrt(headDimension).</param>
/// <param name="softCap">Bounds the scaled scores; null = no cap.</param>
internal sealed class BlockAttention(double? scale = null, double? softCap = null)
{
    /// <summary>softmax(cap(query · keysᵀ · scale) + mask) · values, over what each token may attend to.</summary>
    /// <param name="query">[tokens, heads, headDimension]: the plan's decode rows first, then its chunks.</param>
    /// <param name="cache">The layer's cache, which holds the step's own keys and values already.</param>
    /// <param name="plan">What each token may attend to.</param>
    /// <returns>[tokens, heads · headDimension] in the query's element type.</returns>
    public Tensor Apply(Tensor query, LayerCache cache, AttentionPlan plan)
    {
        if (cache.Pool is { } pool)
            return new CpuAttention((float)(scale ?? 1 / Math.Sqrt(query.size(2))), (float?)softCap)
                .Apply(query, pool, cache.Keys.dtype, plan.Cpu!);
        var parts = new List<Tensor>(1 + plan.Chunks.Count);
        if (plan.Decode is { } decode) parts.Add(Decode(query.narrow(0, 0, decode.Tokens), cache, decode));
        foreach (var chunk in plan.Chunks) parts.Add(Prefill(query.narrow(0, chunk.FirstToken, chunk.Tokens), cache, chunk));
        return parts.Count == 1 ? parts[0] : cat(parts, 0);
    }

    private Tensor Decode(Tensor query, LayerCache cache, DecodeContext context)
    {
        using var scope = NewDisposeScope();
        var (keyValueHeads, dimension) = (cache.Keys.size(1), cache.Keys.size(2));
        var group = query.size(1) / keyValueHeads;
        var padded = context.Padding is { } padding ? query.index_select(0, padding.Queries) : query;
        // [rows, keyValueHeads, queries · group, headDimension]: heads that share keys are more queries.
        var grouped = padded.reshape(context.Rows, -1, keyValueHeads, group, dimension).transpose(1, 2).flatten(2, 3);
        var keys = Gather(cache.Keys); // [rows, keyValueHeads, context, headDimension]
        var values = Gather(cache.Values);
        var mixed = Mix(grouped, keys, values, ForGroups(context.Mask, group));
        var tokens = mixed.unflatten(2, -1, group).transpose(1, 2).reshape(padded.size(0), -1);
        return (context.Padding is null ? tokens : tokens.index_select(0, context.Padding.Places)).MoveToOuterDisposeScope();

        Tensor Gather(Tensor pool) =>
            pool.index_select(0, context.Slots).view(context.Rows, -1, keyValueHeads, dimension).transpose(1, 2);
    }

    /// <summary>[rows, 1, queries · group, context]; a single query's serves all heads as it is.</summary>
    private static Tensor? ForGroups(Tensor? mask, long group) => mask is null || mask.size(2) == 1
        ? mask
        : mask.unsqueeze(3).expand(-1, -1, -1, group, -1).flatten(2, 3);

    private Tensor Prefill(Tensor query, LayerCache cache, ChunkContext context)
    {
        using var scope = NewDisposeScope();
        var (keyValueHeads, dimension) = (cache.Keys.size(1), cache.Keys.size(2));
        var group = query.size(1) / keyValueHeads;
        var grouped = query.reshape(context.Tokens, keyValueHeads, group, dimension).permute(1, 2, 0, 3);
        var keys = Gather(cache.Keys); // [keyValueHeads, group (one in memory), context, headDimension]
        var values = Gather(cache.Values);
        var mixed = Mix(grouped, keys, values, context.Mask);
        return mixed.permute(2, 0, 1, 3).reshape(context.Tokens, -1).MoveToOuterDisposeScope();

        Tensor Gather(Tensor pool) =>
            pool.index_select(0, context.Slots).transpose(0, 1).unsqueeze(1).expand(keyValueHeads, group, -1, dimension);
    }

    private Tensor Mix(Tensor query, Tensor keys, Tensor values, Tensor? mask) => scale is null && softCap is null
        ? nn.functional.scaled_dot_product_attention(query, keys, values, mask)
        : MixStepByStep(query, keys, values, mask);

    /// <summary>The same with a scale or a cap, which the fused operator lacks; in float32.</summary>
    private Tensor MixStepByStep(Tensor query, Tensor keys, Tensor values, Tensor? mask)
    {
        var wideQuery = query.to(ScalarType.Float32).Times(scale ?? 1 / Math.Sqrt(query.size(3)));
        var scores = wideQuery.matmul(keys.to(ScalarType.Float32).transpose(2, 3)); // [·, ·, queries, context]
        if (softCap is { } cap) SoftCap.Apply(scores, cap);
        if (mask is not null) scores.PlusInPlace(mask);
        return scores.softmax(-1).matmul(values.to(ScalarType.Float32)).to(query.dtype);
    }
}
