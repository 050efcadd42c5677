using System.Runtime.CompilerServices;

namespace DeRa.Torch.Kernels;

/// <summary>How a kernel reads and writes the elements of a cache, which it computes with in float32.</summary>
internal unsafe interface ICacheFormat
{
    /// <summary>Bytes of an element.</summary>
    static abstract int ElementBytes { get; }

    /// <summary>As many elements as there are lanes, exactly.</summary>
    static abstract TLanes Load<TLanes>(byte* elements) where TLanes : struct, ILanes<TLanes>;

    /// <summary>One element, exactly.</summary>
    static abstract float Load(byte* element);

    /// <summary>Writes one element, rounded to the nearest, to the even one of two.</summary>
    static abstract void Store(float value, byte* element);
}

/// <summary>32 bits.</summary>
internal readonly unsafe struct Float32Cache : ICacheFormat
{
    public static int ElementBytes => sizeof(float);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* elements) where TLanes : struct, ILanes<TLanes> => TLanes.Load(elements);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* element) => *(float*)element;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, byte* element) => *(float*)element = value;
}

/// <summary>The upper 16 bits of a float32.</summary>
internal readonly unsafe struct BFloat16Cache : ICacheFormat
{
    private const ushort NaN = 0x7FC0;

    public static int ElementBytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* elements) where TLanes : struct, ILanes<TLanes> => TLanes.LoadBFloat16(elements);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* element) => BitConverter.Int32BitsToSingle(*(ushort*)element << 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, byte* element)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        *(ushort*)element = float.IsNaN(value) ? NaN : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}

/// <summary>IEEE 754 half precision.</summary>
internal readonly unsafe struct Float16Cache : ICacheFormat
{
    public static int ElementBytes => sizeof(ushort);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* elements) where TLanes : struct, ILanes<TLanes> => TLanes.LoadFloat16(elements);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Load(byte* element) => (float)*(Half*)element;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(float value, byte* element) => *(Half*)element = (Half)value;
}
