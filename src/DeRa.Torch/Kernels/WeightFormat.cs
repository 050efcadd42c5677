using System.Runtime.CompilerServices;

namespace DeRa.Torch.Kernels;

/// <summary>How the elements of a packed matrix are stored.</summary>
internal enum WeightFormat
{
    /// <summary>32 bits.</summary>
    Float32,

    /// <summary>The upper 16 bits of a float32.</summary>
    BFloat16,

    /// <summary>IEEE 754 half precision; all finite.</summary>
    Float16,
}

/// <summary>
/// How a kernel reads weights. A line holds one input's weights of <see cref="PackedMatrix.PanelOutputs"/> outputs; a unit is
/// <see cref="ILanes{TSelf}.Count"/> outputs from the line's first half and as many from its second.
/// </summary>
internal unsafe interface IWeightFormat
{
    /// <summary>From one line to the next.</summary>
    static abstract int LineBytes { get; }

    /// <summary>Whether lines come from memory rather than from a cache.</summary>
    static abstract bool IsStreamed { get; }

    /// <summary>The weights of a unit's outputs in the line's first half, exactly.</summary>
    /// <param name="unit">The unit's bytes in the line.</param>
    static abstract TLanes First<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes>;

    /// <summary>The weights of a unit's outputs in the line's second half, exactly.</summary>
    /// <param name="unit">The unit's bytes in the line.</param>
    static abstract TLanes Second<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes>;
}

/// <summary>A line is its outputs in order.</summary>
internal readonly unsafe struct Float32Lines : IWeightFormat
{
    public static int LineBytes => PackedMatrix.PanelOutputs * sizeof(float);

    public static bool IsStreamed => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes First<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => TLanes.Load(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Second<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => TLanes.Load(unit + LineBytes / 2);
}

/// <summary>A line is pairs of an output of its first half (lower 16 bits) and one of its second half.</summary>
internal readonly unsafe struct BFloat16Lines : IWeightFormat
{
    public static int LineBytes => PackedMatrix.PanelOutputs * sizeof(ushort);

    public static bool IsStreamed => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes First<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => TLanes.LoadShifted(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Second<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => TLanes.And(TLanes.Load(unit), 0xFFFF_0000);
}

/// <summary>
/// As <see cref="BFloat16Lines"/>. .NET has no instruction that widens half precision: sign, exponent and fraction are moved to their
/// places in a float32, and a product, which is exact, corrects the exponent. Weights are stored times <see cref="Factor"/>, so that
/// none is subnormal: processors take a hundred times as long for those.
/// </summary>
internal readonly unsafe struct Float16Lines : IWeightFormat
{
    /// <summary>What weights are multiplied by before they are stored: 2^10, which makes the least subnormal a normal number.</summary>
    public const float Factor = 1024;

    /// <summary>Weights below this in magnitude stay finite.</summary>
    public const float Bound = 64;

    private const uint Kept = 0x8FFF_E000;
    private const float Scale = 5.0706024e30f; // 2^112, the difference of the exponents' zeros, over the factor

    public static int LineBytes => PackedMatrix.PanelOutputs * sizeof(ushort);

    public static bool IsStreamed => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes First<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => Widen(TLanes.LoadShifted(unit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Second<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => Widen(TLanes.Load(unit));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TLanes Widen<TLanes>(TLanes upper) where TLanes : struct, ILanes<TLanes> =>
        TLanes.Multiply(TLanes.And(TLanes.ShiftRight(upper, 3), Kept), TLanes.Broadcast(Scale));
}

/// <summary>
/// A line is one unit in float32, first half then second: what <see cref="PanelProduct{TLanes,TFormat}"/> widens weights to.
/// </summary>
internal readonly unsafe struct WidenedLines<TWidth> : IWeightFormat where TWidth : struct, ILanes<TWidth>
{
    public static int LineBytes => 2 * TWidth.Count * sizeof(float);

    public static bool IsStreamed => false;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes First<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => TLanes.Load(unit);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Second<TLanes>(byte* unit) where TLanes : struct, ILanes<TLanes> => TLanes.Load(unit + LineBytes / 2);
}
