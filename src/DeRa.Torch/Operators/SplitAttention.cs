using System.Runtime.Intrinsics;
using DeRa.Torch.Kernels;

namespace DeRa.Torch.Operators;

/// <summary>Some tokens of a row, for one key head.</summary>
/// <param name="Context">The row.</param>
/// <param name="FirstToken">Of the row.</param>
/// <param name="Tokens">At least 1.</param>
/// <param name="Head">The key head.</param>
internal readonly record struct AttentionUnit(CpuContext Context, int FirstToken, int Tokens, int Head)
{
    /// <summary>The split that its first token's context begins in.</summary>
    public int FirstSplit(int window) => Context.FirstSeen(FirstToken, window) / CpuAttention.SplitPositions;

    /// <summary>One past the split that its last token lies in.</summary>
    public int EndSplit => (Context.Position + FirstToken + Tokens - 1) / CpuAttention.SplitPositions + 1;
}

/// <summary>Attention of a unit to one split of its context (<see cref="CpuAttention"/>), a tile of queries at a time.</summary>
/// <param name="layer">What all units share.</param>
/// <param name="window">How many tokens each token sees, itself and those before it.</param>
/// <param name="scratch">The calling thread's.</param>
internal readonly unsafe struct SplitAttention<TLanes, TFormat>(AttentionLayer layer, int window, AttentionScratch scratch)
    where TLanes : struct, ILanes<TLanes>
    where TFormat : struct, ICacheFormat
{
    private const int Split = CpuAttention.SplitPositions, KeyGroup = CpuAttention.KeyGroup;

    /// <summary>Queries from which it pays to widen keys and values once for all of them.</summary>
    private const int MinWidenedRows = 16;

    private readonly int _padded = layer.PaddedDimension;
    private readonly int _rowSize = AttentionRow.Size(layer.PaddedDimension);

    /// <summary>Adds a split to each query's row.</summary>
    /// <param name="unit">Its queries are in the scratch memory.</param>
    /// <param name="split">Which part of the context.</param>
    /// <param name="rows">An <see cref="AttentionRow"/> a query.</param>
    public void AddTo(AttentionUnit unit, int split, float* rows)
    {
        var context = unit.Context;
        var begin = split * Split;
        // Tokens whose context ends before the split, or begins behind it, have no part in it.
        var first = Math.Max(unit.FirstToken, begin - context.Position);
        var end = (int)Math.Min(unit.FirstToken + unit.Tokens, (long)begin + Split - 1 - context.Position + window);
        if (first >= end) return;
        var part = new Part(context, window, begin, first, layer.Group);
        var count = (end - first) * layer.Group;
        var from = part.From(0);
        Find(unit, begin, from, part.To(count - 1));
        if (layer.Pool.BlockTokens % KeyGroup != 0 || (TFormat.ElementBytes < sizeof(float) && count >= MinWidenedRows))
        {
            Widen(begin, from, part.To(count - 1));
            Run<Float32Cache>(part, count, (first - unit.FirstToken) * layer.Group, rows, KeyGroup, Split);
        }
        else Run<TFormat>(part, count, (first - unit.FirstToken) * layer.Group, rows, layer.Pool.BlockTokens, layer.Pool.BlockTokens);
    }

    private void Run<TStored>(Part part, int count, int firstRow, float* rows, int keyTokens, int valueTokens)
        where TStored : struct, ICacheFormat
    {
        var tiles = (count + BlockTile<TLanes, TStored>.MaxRows - 1) / BlockTile<TLanes, TStored>.MaxRows;
        var size = (count + tiles - 1) / tiles;
        for (var row = 0; row < count; row += size)
        {
            var tile = new Tile(part, row, Math.Min(size, count - row));
            var queries = scratch.Queries + (firstRow + row) * layer.Dimension;
            Score<TStored>(tile, queries, keyTokens);
            for (var i = 0; i < tile.Rows; i++) Exponentiate(scratch.Scores + i * Split, part.From(row + i), part.To(row + i), Row(i));
            Mix<TStored>(tile, valueTokens);
            for (var i = 0; i < tile.Rows; i++)
                new AttentionRow(rows + (firstRow + row + i) * _rowSize, _padded).Add(Row(i));
        }
    }

    private AttentionRow Row(int i) => new(scratch.TileRows + i * _rowSize, _padded);

    /// <summary>Where the blocks of positions [from, to) of a split lie, by their place in it.</summary>
    private void Find(AttentionUnit unit, int begin, int from, int to)
    {
        var (pool, blockTokens) = (layer.Pool, layer.Pool.BlockTokens);
        var (origin, last) = (begin / blockTokens, (begin + to - 1) / blockTokens);
        byte** keys = scratch.KeyBlocks - origin, values = scratch.ValueBlocks - origin;
        for (var block = (begin + from) / blockTokens; block <= last; block++)
        {
            var physical = unit.Context.Slots.Block(block);
            keys[block] = pool.Keys(physical, unit.Head);
            values[block] = pool.Values(physical, unit.Head);
        }
        for (var block = last + 1; block <= last + KeyGroup; block++)
        {
            keys[block] = keys[last];
            values[block] = values[last];
        }
    }

    /// <summary>Scores of a tile's queries and all positions that one of them sees, in whole vectors.</summary>
    private void Score<TStored>(Tile tile, float* queries, int keyTokens) where TStored : struct, ICacheFormat
    {
        var elementBytes = TStored.ElementBytes;
        byte** all = scratch.KeyBlocks;
        float* scores = scratch.Scores;
        var first = tile.From / TLanes.Count;
        var last = (tile.To - 1) / TLanes.Count;
        for (var row = 0; row < tile.Rows; row++)
            new Span<float>(scores + row * Split + first * TLanes.Count, (last + 1 - first) * TLanes.Count).Clear();
        var (origin, step) = (tile.Begin / keyTokens, tile.Rows <= 2 ? 4 : 2);
        var ahead = Math.Max(1, step * TLanes.Count / keyTokens);
        for (var vector = first; vector <= last; vector += step)
        {
            var block = (tile.Begin + vector * TLanes.Count) / keyTokens - origin;
            var blocks = all + block;
            var lines = new BlockLines(blocks, layer.Dimension, keyTokens * elementBytes, first: 0, layer.Dimension, ahead);
            var product = new BlockTile<TLanes, TStored>(queries, layer.Dimension, Split, tile.Rows, lines);
            if (step == 2) Add(product, tile.Rows, At(vector), At(vector + 1));
            else Add(product, tile.Rows, At(vector), At(vector + 1), At(vector + 2), At(vector + 3));

            BlockUnit At(int unit)
            {
                unit = Math.Min(unit, last);
                var (own, offset) = Math.DivRem(tile.Begin + unit * TLanes.Count, keyTokens);
                return new BlockUnit((nint)(all[own - origin] - blocks[0]) + offset * elementBytes, scores + unit * TLanes.Count);
            }
        }
    }

    private static void Add<TStored>(BlockTile<TLanes, TStored> product, int rows, BlockUnit a, BlockUnit b)
        where TStored : struct, ICacheFormat
    {
        if (rows <= 4) product.AddFourRows(a, b);
        else product.AddSixRows(a, b);
    }

    private static void Add<TStored>(BlockTile<TLanes, TStored> product, int rows, BlockUnit a, BlockUnit b, BlockUnit c, BlockUnit d)
        where TStored : struct, ICacheFormat
    {
        if (rows == 1) product.AddRow(a, b, c, d);
        else product.AddTwoRows(a, b, c, d);
    }

    /// <summary>
    /// Scores of positions [from, to) become e^(score − largest). They are added in eight sums, of every eighth position each, which are
    /// then added in pairs.
    /// </summary>
    private void Exponentiate(float* scores, int from, int to, AttentionRow row)
    {
        var width = Vector256<float>.Count;
        var (first, end) = (from / width * width, (to + width - 1) / width * width);
        if (layer.SoftCap is { } cap)
            for (var i = first; i < end; i += width) CpuActivation.SoftCap(Vector256.Load(scores + i), cap).Store(scores + i);
        for (var i = first; i < from; i++) scores[i] = float.NegativeInfinity;
        for (var i = to; i < end; i++) scores[i] = float.NegativeInfinity;
        var most = Vector256.Create(float.NegativeInfinity);
        for (var i = first; i < end; i += width) most = Vector256.Max(most, Vector256.Load(scores + i));
        var largest = float.NegativeInfinity;
        for (var i = 0; i < width; i++) largest = MathF.Max(largest, most[i]);
        var sums = Vector256<float>.Zero;
        for (var i = first; i < end; i += width)
        {
            var weights = CpuActivation.Exp(Vector256.Load(scores + i) - Vector256.Create(largest));
            weights.Store(scores + i);
            sums += weights;
        }
        row.Largest = largest;
        row.Total = ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
    }

    /// <summary>
    /// Adds values by their weights. A query reads no value outside its context, which need not be finite: where the tile's contexts
    /// differ, each query is a tile of its own.
    /// </summary>
    private void Mix<TStored>(Tile tile, int valueTokens) where TStored : struct, ICacheFormat
    {
        for (var row = 0; row < tile.Rows; row++) new Span<float>(Row(row).Sums, _padded).Clear();
        var (from, to) = (tile.Part.From(tile.LastRow), tile.Part.To(tile.FirstRow));
        if (from >= to) (from, to) = (Split, Split);
        for (var row = 0; row < tile.Rows; row++)
            Mix<TStored>(tile, row, 1, tile.Part.From(tile.FirstRow + row), Math.Min(from, tile.Part.To(tile.FirstRow + row)), valueTokens);
        Mix<TStored>(tile, 0, tile.Rows, from, to, valueTokens);
        for (var row = 0; row < tile.Rows; row++) Mix<TStored>(tile, row, 1, to, tile.Part.To(tile.FirstRow + row), valueTokens);
    }

    private void Mix<TStored>(Tile tile, int firstRow, int rows, int from, int to, int valueTokens) where TStored : struct, ICacheFormat
    {
        if (from >= to) return;
        var sums = Row(firstRow).Sums;
        var (block, line) = Math.DivRem(tile.Begin + from, valueTokens);
        var lines = new BlockLines(scratch.ValueBlocks + block - tile.Begin / valueTokens, valueTokens,
            layer.Dimension * TStored.ElementBytes, line, to - from, ahead: 1);
        var product = new BlockTile<TLanes, TStored>(scratch.Scores + firstRow * Split + from, Split, _rowSize, rows, lines);
        var last = (layer.Dimension - 1) / TLanes.Count;
        var step = rows <= 2 ? 4 : 2;
        for (var vector = 0; vector <= last; vector += step)
            if (step == 2) Add(product, rows, At(vector), At(vector + 1));
            else Add(product, rows, At(vector), At(vector + 1), At(vector + 2), At(vector + 3));

        BlockUnit At(int unit)
        {
            unit = Math.Min(unit, last);
            return new BlockUnit(unit * TLanes.Count * TStored.ElementBytes, sums + unit * TLanes.Count);
        }
    }

    /// <summary>Copies keys and values of positions [from, to) of a split to memory in float32, which replaces their blocks.</summary>
    private void Widen(int begin, int from, int to)
    {
        var (blockTokens, dimension) = (layer.Pool.BlockTokens, layer.Dimension);
        for (var position = from; position < to; position++)
        {
            var (block, offset) = Math.DivRem(begin + position, blockTokens);
            block -= begin / blockTokens;
            WidenLine(scratch.ValueBlocks[block] + offset * dimension * TFormat.ElementBytes, scratch.Values + position * dimension);
            if (blockTokens % KeyGroup == 0) continue;
            byte* key = scratch.KeyBlocks[block] + offset * TFormat.ElementBytes;
            float* wide = KeyAt(position);
            for (var d = 0; d < dimension; d++, key += blockTokens * TFormat.ElementBytes, wide += KeyGroup) *wide = TFormat.Load(key);
        }
        if (blockTokens % KeyGroup == 0)
            for (var position = from / KeyGroup * KeyGroup; position < to; position += KeyGroup)
            {
                var (block, offset) = Math.DivRem(begin + position, blockTokens);
                byte* key = scratch.KeyBlocks[block - begin / blockTokens] + offset * TFormat.ElementBytes;
                float* wide = KeyAt(position);
                for (var d = 0; d < dimension; d++, key += blockTokens * TFormat.ElementBytes, wide += KeyGroup)
                    for (var i = 0; i < KeyGroup; i += TLanes.Count)
                        TLanes.Store(TFormat.Load<TLanes>(key + i * TFormat.ElementBytes), wide + i);
            }
        for (var group = 0; group < Split / KeyGroup + KeyGroup; group++)
            scratch.KeyBlocks[group] = (byte*)KeyAt(Math.Min(group * KeyGroup, Split - KeyGroup));
        for (var block = 0; block < 2; block++) scratch.ValueBlocks[block] = (byte*)scratch.Values;
    }

    private void WidenLine(byte* from, float* to)
    {
        var d = 0;
        for (; d <= layer.Dimension - TLanes.Count; d += TLanes.Count)
            TLanes.Store(TFormat.Load<TLanes>(from + d * TFormat.ElementBytes), to + d);
        for (; d < layer.Dimension; d++) to[d] = TFormat.Load(from + d * TFormat.ElementBytes);
    }

    private float* KeyAt(int position) => scratch.Keys + (position / KeyGroup * layer.Dimension * KeyGroup) + position % KeyGroup;

    /// <summary>The queries of a unit that see something of a split. Positions count from the split's first.</summary>
    private readonly struct Part(CpuContext context, int window, int begin, int firstToken, int group)
    {
        public int Begin => begin;

        /// <summary>The first position that a query sees.</summary>
        public int From(int row) => Math.Max(begin, context.FirstSeen(firstToken + row / group, window)) - begin;

        /// <summary>One past the last position that a query sees.</summary>
        public int To(int row) => Math.Min(Split, context.Position + firstToken + row / group + 1 - begin);
    }

    /// <summary>Queries that share loads.</summary>
    private readonly struct Tile(Part part, int firstRow, int rows)
    {
        public Part Part { get; } = part;

        public int Begin => Part.Begin;

        public int FirstRow => firstRow;

        public int LastRow => firstRow + rows - 1;

        public int Rows => rows;

        public int From { get; } = part.From(firstRow);

        public int To { get; } = part.To(firstRow + rows - 1);
    }
}
