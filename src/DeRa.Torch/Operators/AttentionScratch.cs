using DeRa.Torch.Kernels;

namespace DeRa.Torch.Operators;

/// <summary>A thread's memory for <see cref="SplitAttention{TLanes,TFormat}"/>: it depends on the heads, not on the context.</summary>
internal sealed unsafe class AttentionScratch
{
    /// <summary>Blocks of a split: of one token each, and those that are asked for early.</summary>
    private const int MostBlocks = CpuAttention.SplitPositions + 2 * CpuAttention.KeyGroup;

    [ThreadStatic]
    private static AttentionScratch? s_own;

    private readonly List<float[]> _owned = []; // The collector does not move pinned arrays, but frees what nothing refers to.
    private readonly int _rows;
    private readonly int _padded;

    private AttentionScratch(int rows, int padded)
    {
        (_rows, _padded) = (rows, padded);
        var rowSize = AttentionRow.Size(padded);
        Queries = New(rows * padded);
        Rows = New(rows * rowSize);
        TileRows = New(BlockTile<Lanes128, Float32Cache>.MaxRows * rowSize);
        Scores = New(BlockTile<Lanes128, Float32Cache>.MaxRows * CpuAttention.SplitPositions);
        Keys = New(CpuAttention.SplitPositions * padded);
        Values = New((CpuAttention.SplitPositions + 1) * padded);
        KeyBlocks = (byte**)New(MostBlocks * sizeof(nint) / sizeof(float));
        ValueBlocks = (byte**)New(MostBlocks * sizeof(nint) / sizeof(float));
    }

    /// <summary>[rows, headDimension].</summary>
    public float* Queries { get; }

    /// <summary>An <see cref="AttentionRow"/> a query.</summary>
    public float* Rows { get; }

    /// <summary>The same for the queries of one tile.</summary>
    public float* TileRows { get; }

    /// <summary>[rows of a tile, positions of a split].</summary>
    public float* Scores { get; }

    /// <summary>[key groups of a split, headDimension, positions of a group]: keys in float32.</summary>
    public float* Keys { get; }

    /// <summary>[positions of a split, headDimension]: values in float32.</summary>
    public float* Values { get; }

    /// <summary>Where the keys of a split's blocks lie.</summary>
    public byte** KeyBlocks { get; }

    /// <summary>Where the values of a split's blocks lie.</summary>
    public byte** ValueBlocks { get; }

    /// <summary>The calling thread's, with room for so many queries.</summary>
    public static AttentionScratch Of(int rows, int padded)
    {
        if (s_own is { } own && own._rows >= rows && own._padded >= padded) return own;
        return s_own = new AttentionScratch(Math.Max(rows, s_own?._rows ?? 0), Math.Max(padded, s_own?._padded ?? 0));
    }

    private float* New(int count)
    {
        var array = GC.AllocateArray<float>(count, pinned: true);
        _owned.Add(array);
        fixed (float* start = array) return start;
    }
}
