using DeRa.Torch.Caching;
using DeRa.Torch.Kernels;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// Attention on the CPU, straight from the block pool (<see cref="CpuKernels"/>): float32, whatever the cache's type. A query's result has
/// the same bits beside any others, on any number of threads and in vectors of any width, since each number in it has one order of
/// operations: a score adds dimensions ascending; a context is split at positions that are multiples of <see cref="SplitPositions"/>, and
/// a split's weighted values add positions ascending, one accumulator a dimension; splits are added in order (<see cref="AttentionRow"/>).
/// </summary>
/// <param name="scale">What scores are multiplied by.</param>
/// <param name="softCap">Bounds the scaled scores; null = no cap.</param>
internal sealed unsafe class CpuAttention(float scale, float? softCap)
{
    /// <summary>Positions of a split.</summary>
    public const int SplitPositions = 256;

    /// <summary>
    /// Keys are read in vectors of up to as many positions: where blocks do not hold a multiple of it, they are copied first.
    /// </summary>
    public const int KeyGroup = BlockPool.ReadBeyond;

    /// <summary>softmax(cap(query · keysᵀ · scale)) · values, over what each token may attend to, by the widest vectors.</summary>
    /// <param name="query">[tokens, heads, headDimension], float32.</param>
    /// <param name="pool">The layer's cache, which holds the step's own keys and values already.</param>
    /// <param name="type">Its element type.</param>
    /// <param name="plan">The rows, in the order of their tokens.</param>
    /// <returns>[tokens, heads · headDimension].</returns>
    public Tensor Apply(Tensor query, BlockPool pool, ScalarType type, CpuPlan plan)
    {
        if (MatrixProduct.VectorBits == 512) return Apply<Lanes512>(query, pool, type, plan);
        return MatrixProduct.VectorBits == 256 ? Apply<Lanes256>(query, pool, type, plan) : Apply<Lanes128>(query, pool, type, plan);
    }

    /// <summary>The same by vectors of one width.</summary>
    public Tensor Apply<TLanes>(Tensor query, BlockPool pool, ScalarType type, CpuPlan plan) where TLanes : struct, ILanes<TLanes> =>
        type switch
        {
            ScalarType.Float32 => Apply<TLanes, Float32Cache>(query, pool, plan),
            ScalarType.BFloat16 => Apply<TLanes, BFloat16Cache>(query, pool, plan),
            ScalarType.Float16 => Apply<TLanes, Float16Cache>(query, pool, plan),
            _ => throw new ArgumentOutOfRangeException(nameof(type), type, message: null),
        };

    private Tensor Apply<TLanes, TFormat>(Tensor query, BlockPool pool, CpuPlan plan)
        where TLanes : struct, ILanes<TLanes>
        where TFormat : struct, ICacheFormat
    {
        var contiguous = query.is_contiguous() ? query : query.contiguous();
        var heads = (int)query.size(1);
        var output = empty([query.size(0), heads * query.size(2)], ScalarType.Float32);
        fixed (float* queries = CpuKernels.Elements(contiguous), outputs = CpuKernels.Elements(output))
            new AttentionWork<TLanes, TFormat>(new AttentionLayer(queries, outputs, heads, pool, scale, softCap), plan).Run();
        return output;
    }
}
