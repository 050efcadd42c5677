using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Torch.Kernels;

/// <summary>The outputs that a kernel computes side by side: <see cref="ILanes{TSelf}.Count"/> from each half of a panel.</summary>
/// <param name="weights">Their weights in the first line.</param>
/// <param name="output">Where the first row's first output goes; that of the panel's second half is half a panel further.</param>
internal readonly unsafe struct ProductUnit(byte* weights, float* output)
{
    public readonly byte* Weights = weights;
    public readonly float* Output = output;
}

/// <summary>
/// Adds the products of a few rows and a few units to what their outputs hold: one accumulator an output, inputs ascending, fused
/// multiply-add. A row's result is thus the same bits in any tile. Eight or more accumulators hide the latency of an addition; a tile
/// of more than twelve would not fit into the 16 registers of AVX2. Rows beyond the last repeat it: they write the same bits twice.
/// No tile is inlined: in a large caller the compiler may have no budget left for what a tile consists of, and each multiplication would
/// be a call.
/// </summary>
/// <param name="input">The first row at the first line's input.</param>
/// <param name="inputStride">From row to row, in elements.</param>
/// <param name="outputStride">From row to row, in elements.</param>
/// <param name="rows">At least 1.</param>
/// <param name="lines">Inputs to add, at least 1.</param>
internal readonly unsafe struct ProductTile<TLanes, TFormat>(float* input, long inputStride, long outputStride, int rows, int lines)
    where TLanes : struct, ILanes<TLanes>
    where TFormat : struct, IWeightFormat
{
    /// <summary>Most rows of a tile.</summary>
    public const int MaxRows = 6;

    private const int CacheLineBytes = 64, PrefetchBytes = 4096;

    /// <summary>One row, four units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddRow(ProductUnit a, ProductUnit b, ProductUnit c, ProductUnit d)
    {
        var (a0, a1, b0, b1) = (First(a, 0), Second(a, 0), First(b, 0), Second(b, 0));
        var (c0, c1, d0, d1) = (First(c, 0), Second(c, 0), First(d, 0), Second(d, 0));
        float* x = input;
        byte* aw = a.Weights, bw = b.Weights, cw = c.Weights, dw = d.Weights;
        var end = (nint)lines * TFormat.LineBytes;
        for (nint line = 0; line < end; line += TFormat.LineBytes)
        {
            Prefetch(aw + line);
            Prefetch(bw + line);
            Prefetch(cw + line);
            Prefetch(dw + line);
            var v = TLanes.Broadcast(*x++);
            a0 = TLanes.MultiplyAdd(v, TFormat.First<TLanes>(aw + line), a0);
            a1 = TLanes.MultiplyAdd(v, TFormat.Second<TLanes>(aw + line), a1);
            b0 = TLanes.MultiplyAdd(v, TFormat.First<TLanes>(bw + line), b0);
            b1 = TLanes.MultiplyAdd(v, TFormat.Second<TLanes>(bw + line), b1);
            c0 = TLanes.MultiplyAdd(v, TFormat.First<TLanes>(cw + line), c0);
            c1 = TLanes.MultiplyAdd(v, TFormat.Second<TLanes>(cw + line), c1);
            d0 = TLanes.MultiplyAdd(v, TFormat.First<TLanes>(dw + line), d0);
            d1 = TLanes.MultiplyAdd(v, TFormat.Second<TLanes>(dw + line), d1);
        }
        Store(a, 0, a0, a1);
        Store(b, 0, b0, b1);
        Store(c, 0, c0, c1);
        Store(d, 0, d0, d1);
    }

    /// <summary>Up to two rows, two units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddTwoRows(ProductUnit a, ProductUnit b)
    {
        var second = Row(1);
        var (a0, a1, b0, b1) = (First(a, 0), Second(a, 0), First(b, 0), Second(b, 0));
        var (a2, a3, b2, b3) = (First(a, second), Second(a, second), First(b, second), Second(b, second));
        float* x0 = input, x1 = Input(1);
        byte* aw = a.Weights, bw = b.Weights;
        for (nint k = 0; k < lines; k++, aw += TFormat.LineBytes, bw += TFormat.LineBytes)
        {
            Prefetch(aw);
            Prefetch(bw);
            var (v0, v1) = (TLanes.Broadcast(x0[k]), TLanes.Broadcast(x1[k]));
            var w = TFormat.First<TLanes>(aw);
            a0 = TLanes.MultiplyAdd(v0, w, a0);
            a2 = TLanes.MultiplyAdd(v1, w, a2);
            w = TFormat.Second<TLanes>(aw);
            a1 = TLanes.MultiplyAdd(v0, w, a1);
            a3 = TLanes.MultiplyAdd(v1, w, a3);
            w = TFormat.First<TLanes>(bw);
            b0 = TLanes.MultiplyAdd(v0, w, b0);
            b2 = TLanes.MultiplyAdd(v1, w, b2);
            w = TFormat.Second<TLanes>(bw);
            b1 = TLanes.MultiplyAdd(v0, w, b1);
            b3 = TLanes.MultiplyAdd(v1, w, b3);
        }
        Store(a, 0, a0, a1);
        Store(b, 0, b0, b1);
        Store(a, second, a2, a3);
        Store(b, second, b2, b3);
    }

    /// <summary>Up to four rows, one unit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddFourRows(ProductUnit unit)
    {
        var (r1, r2, r3) = (Row(1), Row(2), Row(3));
        var (a0, b0, a1, b1) = (First(unit, 0), Second(unit, 0), First(unit, r1), Second(unit, r1));
        var (a2, b2, a3, b3) = (First(unit, r2), Second(unit, r2), First(unit, r3), Second(unit, r3));
        float* x0 = input, x1 = Input(1), x2 = Input(2), x3 = Input(3);
        var weights = unit.Weights;
        for (nint k = 0; k < lines; k++, weights += TFormat.LineBytes)
        {
            Prefetch(weights);
            var (first, second) = (TFormat.First<TLanes>(weights), TFormat.Second<TLanes>(weights));
            var v = TLanes.Broadcast(x0[k]);
            (a0, b0) = (TLanes.MultiplyAdd(v, first, a0), TLanes.MultiplyAdd(v, second, b0));
            v = TLanes.Broadcast(x1[k]);
            (a1, b1) = (TLanes.MultiplyAdd(v, first, a1), TLanes.MultiplyAdd(v, second, b1));
            v = TLanes.Broadcast(x2[k]);
            (a2, b2) = (TLanes.MultiplyAdd(v, first, a2), TLanes.MultiplyAdd(v, second, b2));
            v = TLanes.Broadcast(x3[k]);
            (a3, b3) = (TLanes.MultiplyAdd(v, first, a3), TLanes.MultiplyAdd(v, second, b3));
        }
        Store(unit, 0, a0, b0);
        Store(unit, r1, a1, b1);
        Store(unit, r2, a2, b2);
        Store(unit, r3, a3, b3);
    }

    /// <summary>Up to six rows, one unit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddSixRows(ProductUnit unit)
    {
        var (r1, r2, r3, r4, r5) = (Row(1), Row(2), Row(3), Row(4), Row(5));
        var (a0, b0, a1, b1) = (First(unit, 0), Second(unit, 0), First(unit, r1), Second(unit, r1));
        var (a2, b2, a3, b3) = (First(unit, r2), Second(unit, r2), First(unit, r3), Second(unit, r3));
        var (a4, b4, a5, b5) = (First(unit, r4), Second(unit, r4), First(unit, r5), Second(unit, r5));
        float* x0 = input, x1 = Input(1), x2 = Input(2), x3 = Input(3), x4 = Input(4), x5 = Input(5);
        var weights = unit.Weights;
        for (nint k = 0; k < lines; k++, weights += TFormat.LineBytes)
        {
            Prefetch(weights);
            var (first, second) = (TFormat.First<TLanes>(weights), TFormat.Second<TLanes>(weights));
            var v = TLanes.Broadcast(x0[k]);
            (a0, b0) = (TLanes.MultiplyAdd(v, first, a0), TLanes.MultiplyAdd(v, second, b0));
            v = TLanes.Broadcast(x1[k]);
            (a1, b1) = (TLanes.MultiplyAdd(v, first, a1), TLanes.MultiplyAdd(v, second, b1));
            v = TLanes.Broadcast(x2[k]);
            (a2, b2) = (TLanes.MultiplyAdd(v, first, a2), TLanes.MultiplyAdd(v, second, b2));
            v = TLanes.Broadcast(x3[k]);
            (a3, b3) = (TLanes.MultiplyAdd(v, first, a3), TLanes.MultiplyAdd(v, second, b3));
            v = TLanes.Broadcast(x4[k]);
            (a4, b4) = (TLanes.MultiplyAdd(v, first, a4), TLanes.MultiplyAdd(v, second, b4));
            v = TLanes.Broadcast(x5[k]);
            (a5, b5) = (TLanes.MultiplyAdd(v, first, a5), TLanes.MultiplyAdd(v, second, b5));
        }
        Store(unit, 0, a0, b0);
        Store(unit, r1, a1, b1);
        Store(unit, r2, a2, b2);
        Store(unit, r3, a3, b3);
        Store(unit, r4, a4, b4);
        Store(unit, r5, a5, b5);
    }

    /// <summary>Asks for weights early: what processors read ahead by themselves ends at the end of a page.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* weights)
    {
        if (!Sse.IsSupported || !TFormat.IsStreamed) return;
        Sse.Prefetch0(weights + PrefetchBytes);
        if (TFormat.LineBytes > CacheLineBytes) Sse.Prefetch0(weights + PrefetchBytes + CacheLineBytes);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Clamp(int row) => Math.Min(row, rows - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float* Input(int row) => input + Clamp(row) * inputStride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Row(int row) => Clamp(row) * outputStride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes First(ProductUnit unit, long row) => TLanes.Load(unit.Output + row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Second(ProductUnit unit, long row) => TLanes.Load(unit.Output + row + PackedMatrix.PanelOutputs / 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(ProductUnit unit, long row, TLanes first, TLanes second)
    {
        TLanes.Store(first, unit.Output + row);
        TLanes.Store(second, unit.Output + row + PackedMatrix.PanelOutputs / 2);
    }
}
