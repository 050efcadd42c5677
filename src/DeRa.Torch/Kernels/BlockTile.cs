using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace DeRa.Torch.Kernels;

/// <summary>Lines of a matrix that lie in blocks, one block after the other: what a <see cref="BlockTile{TLanes,TFormat}"/> adds.</summary>
/// <param name="blocks">Where the blocks lie, and behind them as many as are asked for early.</param>
/// <param name="blockLines">Lines of a block.</param>
/// <param name="lineBytes">From one line to the next.</param>
/// <param name="first">The first line to add, in the first block.</param>
/// <param name="count">How many to add.</param>
/// <param name="ahead">How many blocks to ask early.</param>
internal readonly unsafe struct BlockLines(byte** blocks, int blockLines, nint lineBytes, int first, int count, int ahead)
{
    public readonly byte** Blocks = blocks;
    public readonly int PerBlock = blockLines;
    public readonly nint Bytes = lineBytes;
    public readonly int First = first;
    public readonly int Count = count;
    public readonly int Ahead = ahead;
}

/// <summary>A vector of columns.</summary>
/// <param name="offset">Where they lie, in bytes from where a line begins.</param>
/// <param name="output">Where the first row's results go.</param>
internal readonly unsafe struct BlockUnit(nint offset, float* output)
{
    public readonly nint Offset = offset;
    public readonly float* Output = output;
}

/// <summary>
/// Adds rows · lines to what the outputs hold: one accumulator an output, lines ascending, fused multiply-add. A row's result is thus the
/// same bits in any tile and in vectors of any width. Rows beyond the last repeat it, and so may units: they write the same bits twice.
/// </summary>
/// <param name="input">[rows, lines]: the first row.</param>
/// <param name="inputStride">From row to row, in elements.</param>
/// <param name="outputStride">From row to row, in elements.</param>
/// <param name="rows">At least 1.</param>
/// <param name="lines">The lines, at least one.</param>
internal readonly unsafe struct BlockTile<TLanes, TFormat>(float* input, nint inputStride, nint outputStride, int rows, BlockLines lines)
    where TLanes : struct, ILanes<TLanes>
    where TFormat : struct, ICacheFormat
{
    /// <summary>Most rows of a tile.</summary>
    public const int MaxRows = 6;

    private const int CacheLineBytes = 64;

    /// <summary>One row, four units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddRow(BlockUnit a, BlockUnit b, BlockUnit c, BlockUnit d)
    {
        var (a0, b0, c0, d0) = (TLanes.Load(a.Output), TLanes.Load(b.Output), TLanes.Load(c.Output), TLanes.Load(d.Output));
        var x = input;
        var (toB, toC, toD) = (b.Offset - a.Offset, c.Offset - a.Offset, d.Offset - a.Offset);
        var (block, line, stride) = (0, lines.First, lines.Bytes);
        for (var left = lines.Count; left > 0; block++, line = 0)
        {
            var count = Math.Min(left, lines.PerBlock - line);
            var w = lines.Blocks[block] + a.Offset + line * stride;
            var ahead = Ahead(block);
            for (var end = x + count; x < end; x++, w += stride)
            {
                Prefetch(w + ahead, toB);
                Prefetch(w + toC + ahead, toD - toC);
                var v = TLanes.Broadcast(*x);
                a0 = TLanes.MultiplyAdd(v, TFormat.Load<TLanes>(w), a0);
                b0 = TLanes.MultiplyAdd(v, TFormat.Load<TLanes>(w + toB), b0);
                c0 = TLanes.MultiplyAdd(v, TFormat.Load<TLanes>(w + toC), c0);
                d0 = TLanes.MultiplyAdd(v, TFormat.Load<TLanes>(w + toD), d0);
            }
            left -= count;
        }
        TLanes.Store(a0, a.Output);
        TLanes.Store(b0, b.Output);
        TLanes.Store(c0, c.Output);
        TLanes.Store(d0, d.Output);
    }

    /// <summary>Up to two rows, four units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddTwoRows(BlockUnit a, BlockUnit b, BlockUnit c, BlockUnit d)
    {
        var r1 = Row(1);
        var (a0, b0, c0, d0) = (TLanes.Load(a.Output), TLanes.Load(b.Output), TLanes.Load(c.Output), TLanes.Load(d.Output));
        var (a1, b1) = (TLanes.Load(a.Output + r1), TLanes.Load(b.Output + r1));
        var (c1, d1) = (TLanes.Load(c.Output + r1), TLanes.Load(d.Output + r1));
        float* x0 = input, x1 = Input(1);
        var (toB, toC, toD) = (b.Offset - a.Offset, c.Offset - a.Offset, d.Offset - a.Offset);
        nint k = 0;
        var (block, line, stride) = (0, lines.First, lines.Bytes);
        for (var left = lines.Count; left > 0; block++, line = 0)
        {
            var count = Math.Min(left, lines.PerBlock - line);
            var w = lines.Blocks[block] + a.Offset + line * stride;
            var ahead = Ahead(block);
            for (var end = k + count; k < end; k++, w += stride)
            {
                Prefetch(w + ahead, toB);
                Prefetch(w + toC + ahead, toD - toC);
                var (v0, v1) = (TLanes.Broadcast(x0[k]), TLanes.Broadcast(x1[k]));
                var column = TFormat.Load<TLanes>(w);
                (a0, a1) = (TLanes.MultiplyAdd(v0, column, a0), TLanes.MultiplyAdd(v1, column, a1));
                column = TFormat.Load<TLanes>(w + toB);
                (b0, b1) = (TLanes.MultiplyAdd(v0, column, b0), TLanes.MultiplyAdd(v1, column, b1));
                column = TFormat.Load<TLanes>(w + toC);
                (c0, c1) = (TLanes.MultiplyAdd(v0, column, c0), TLanes.MultiplyAdd(v1, column, c1));
                column = TFormat.Load<TLanes>(w + toD);
                (d0, d1) = (TLanes.MultiplyAdd(v0, column, d0), TLanes.MultiplyAdd(v1, column, d1));
            }
            left -= count;
        }
        Store(a, r1, a0, a1);
        Store(b, r1, b0, b1);
        Store(c, r1, c0, c1);
        Store(d, r1, d0, d1);
    }

    /// <summary>Up to four rows, two units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddFourRows(BlockUnit a, BlockUnit b)
    {
        var (r1, r2, r3) = (Row(1), Row(2), Row(3));
        var (a0, a1, a2, a3) = (TLanes.Load(a.Output), TLanes.Load(a.Output + r1), TLanes.Load(a.Output + r2), TLanes.Load(a.Output + r3));
        var (b0, b1, b2, b3) = (TLanes.Load(b.Output), TLanes.Load(b.Output + r1), TLanes.Load(b.Output + r2), TLanes.Load(b.Output + r3));
        float* x0 = input, x1 = Input(1), x2 = Input(2), x3 = Input(3);
        var toB = b.Offset - a.Offset;
        nint k = 0;
        var (block, line, stride) = (0, lines.First, lines.Bytes);
        for (var left = lines.Count; left > 0; block++, line = 0)
        {
            var count = Math.Min(left, lines.PerBlock - line);
            var w = lines.Blocks[block] + a.Offset + line * stride;
            var ahead = Ahead(block);
            for (var end = k + count; k < end; k++, w += stride)
            {
                Prefetch(w + ahead, toB);
                var (first, second) = (TFormat.Load<TLanes>(w), TFormat.Load<TLanes>(w + toB));
                var v = TLanes.Broadcast(x0[k]);
                (a0, b0) = (TLanes.MultiplyAdd(v, first, a0), TLanes.MultiplyAdd(v, second, b0));
                v = TLanes.Broadcast(x1[k]);
                (a1, b1) = (TLanes.MultiplyAdd(v, first, a1), TLanes.MultiplyAdd(v, second, b1));
                v = TLanes.Broadcast(x2[k]);
                (a2, b2) = (TLanes.MultiplyAdd(v, first, a2), TLanes.MultiplyAdd(v, second, b2));
                v = TLanes.Broadcast(x3[k]);
                (a3, b3) = (TLanes.MultiplyAdd(v, first, a3), TLanes.MultiplyAdd(v, second, b3));
            }
            left -= count;
        }
        Store(a, r1, a0, a1);
        Store(b, r1, b0, b1);
        TLanes.Store(a2, a.Output + r2);
        TLanes.Store(b2, b.Output + r2);
        TLanes.Store(a3, a.Output + r3);
        TLanes.Store(b3, b.Output + r3);
    }

    /// <summary>Up to six rows, two units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public void AddSixRows(BlockUnit a, BlockUnit b)
    {
        var (r1, r2, r3, r4, r5) = (Row(1), Row(2), Row(3), Row(4), Row(5));
        var (a0, a1, a2) = (TLanes.Load(a.Output), TLanes.Load(a.Output + r1), TLanes.Load(a.Output + r2));
        var (a3, a4, a5) = (TLanes.Load(a.Output + r3), TLanes.Load(a.Output + r4), TLanes.Load(a.Output + r5));
        var (b0, b1, b2) = (TLanes.Load(b.Output), TLanes.Load(b.Output + r1), TLanes.Load(b.Output + r2));
        var (b3, b4, b5) = (TLanes.Load(b.Output + r3), TLanes.Load(b.Output + r4), TLanes.Load(b.Output + r5));
        float* x0 = input, x1 = Input(1), x2 = Input(2), x3 = Input(3), x4 = Input(4), x5 = Input(5);
        var toB = b.Offset - a.Offset;
        nint k = 0;
        var (block, line, stride) = (0, lines.First, lines.Bytes);
        for (var left = lines.Count; left > 0; block++, line = 0)
        {
            var count = Math.Min(left, lines.PerBlock - line);
            var w = lines.Blocks[block] + a.Offset + line * stride;
            for (var end = k + count; k < end; k++, w += stride)
            {
                var (first, second) = (TFormat.Load<TLanes>(w), TFormat.Load<TLanes>(w + toB));
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
            left -= count;
        }
        Store(a, r1, a0, a1);
        Store(b, r1, b0, b1);
        TLanes.Store(a2, a.Output + r2);
        TLanes.Store(b2, b.Output + r2);
        TLanes.Store(a3, a.Output + r3);
        TLanes.Store(b3, b.Output + r3);
        TLanes.Store(a4, a.Output + r4);
        TLanes.Store(b4, b.Output + r4);
        TLanes.Store(a5, a.Output + r5);
        TLanes.Store(b5, b.Output + r5);
    }

    /// <summary>From a block to the one that is asked for early: processors do not know by themselves where that lies.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint Ahead(int block) => (nint)(lines.Blocks[block + lines.Ahead] - lines.Blocks[block]);

    /// <summary>Asks for the lines of two units.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* first, nint toSecond)
    {
        if (!Sse.IsSupported) return;
        Sse.Prefetch0(first);
        if ((nuint)toSecond >= CacheLineBytes) Sse.Prefetch0(first + toSecond);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(BlockUnit unit, nint second, TLanes first0, TLanes first1)
    {
        TLanes.Store(first0, unit.Output);
        TLanes.Store(first1, unit.Output + second);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Clamp(int row) => Math.Min(row, rows - 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private float* Input(int row) => input + Clamp(row) * inputStride;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private nint Row(int row) => Clamp(row) * outputStride;
}
