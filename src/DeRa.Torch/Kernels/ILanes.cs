using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace DeRa.Torch.Kernels;

/// <summary>A vector of float32, so that a kernel is written once for all widths.</summary>
internal unsafe interface ILanes<TSelf> where TSelf : struct, ILanes<TSelf>
{
    /// <summary>Its elements: 4, 8 or 16.</summary>
    static abstract int Count { get; }

    /// <summary>All elements equal.</summary>
    static abstract TSelf Broadcast(float value);

    /// <summary><see cref="Count"/> elements from any address.</summary>
    static abstract TSelf Load(void* source);

    /// <summary>As <see cref="Load"/>, each element's bits shifted left by 16.</summary>
    static abstract TSelf LoadShifted(void* source);

    /// <summary><see cref="Count"/> bfloat16 elements from any address, widened.</summary>
    static abstract TSelf LoadBFloat16(void* source);

    /// <summary><see cref="Count"/> elements of IEEE half precision from any address, widened.</summary>
    static abstract TSelf LoadFloat16(void* source);

    /// <summary>left · right + sum, rounded once.</summary>
    static abstract TSelf MultiplyAdd(TSelf left, TSelf right, TSelf sum);

    /// <summary>The product.</summary>
    static abstract TSelf Multiply(TSelf left, TSelf right);

    /// <summary>Keeps the bits of a mask in each element.</summary>
    static abstract TSelf And(TSelf value, uint mask);

    /// <summary>Shifts each element's bits; the sign fills what becomes free.</summary>
    static abstract TSelf ShiftRight(TSelf value, int bits);

    /// <summary>Writes the elements to any address.</summary>
    static abstract void Store(TSelf value, float* target);
}

/// <summary>Four elements: processors whose vectors are 128 bits wide.</summary>
internal readonly unsafe struct Lanes128(Vector128<float> value) : ILanes<Lanes128>
{
    private readonly Vector128<float> _value = value;

    public static int Count => Vector128<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Broadcast(float value) => new(Vector128.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Load(void* source) => new(Vector128.Load((float*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadShifted(void* source) => new((Vector128.Load((uint*)source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadBFloat16(void* source) => new((Widened(source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 LoadFloat16(void* source)
    {
        var stored = Widened(source).AsInt32();
        var magnitude = (stored & Vector128.Create(0x7FFF)) << 13;
        var exponent = Vector128.Create(HalfBits.Exponent);
        // Infinities and NaN have the largest exponent in both formats.
        var normal = magnitude + exponent + (Vector128.GreaterThanOrEqual(magnitude, Vector128.Create(HalfBits.Infinity)) & exponent);
        var least = Vector128.Create(HalfBits.LeastNormal);
        var subnormal = (magnitude + least).AsSingle() - least.AsSingle();
        var isSubnormal = Vector128.LessThan(magnitude, Vector128.Create(HalfBits.OneExponent));
        var widened = Vector128.ConditionalSelect(isSubnormal, subnormal.AsInt32(), normal);
        return new((widened | (stored & Vector128.Create(0x8000)) << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 MultiplyAdd(Lanes128 left, Lanes128 right, Lanes128 sum) =>
        new(Vector128.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 Multiply(Lanes128 left, Lanes128 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 And(Lanes128 value, uint mask) => new((value._value.AsUInt32() & Vector128.Create(mask)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes128 ShiftRight(Lanes128 value, int bits) => new((value._value.AsInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes128 value, float* target) => value._value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<uint> Widened(void* source) => Vector128.WidenLower(Vector128.CreateScalarUnsafe(*(ulong*)source).AsUInt16());
}

/// <summary>Eight elements: processors with AVX2.</summary>
internal readonly unsafe struct Lanes256(Vector256<float> value) : ILanes<Lanes256>
{
    private readonly Vector256<float> _value = value;

    public static int Count => Vector256<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Broadcast(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Load(void* source) => new(Vector256.Load((float*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadShifted(void* source) => new((Vector256.Load((uint*)source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadBFloat16(void* source) => new((Widened(source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 LoadFloat16(void* source)
    {
        var stored = Widened(source).AsInt32();
        var magnitude = (stored & Vector256.Create(0x7FFF)) << 13;
        var exponent = Vector256.Create(HalfBits.Exponent);
        // Infinities and NaN have the largest exponent in both formats.
        var normal = magnitude + exponent + (Vector256.GreaterThanOrEqual(magnitude, Vector256.Create(HalfBits.Infinity)) & exponent);
        var least = Vector256.Create(HalfBits.LeastNormal);
        var subnormal = (magnitude + least).AsSingle() - least.AsSingle();
        var isSubnormal = Vector256.LessThan(magnitude, Vector256.Create(HalfBits.OneExponent));
        var widened = Vector256.ConditionalSelect(isSubnormal, subnormal.AsInt32(), normal);
        return new((widened | (stored & Vector256.Create(0x8000)) << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 MultiplyAdd(Lanes256 left, Lanes256 right, Lanes256 sum) =>
        new(Vector256.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 Multiply(Lanes256 left, Lanes256 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 And(Lanes256 value, uint mask) => new((value._value.AsUInt32() & Vector256.Create(mask)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes256 ShiftRight(Lanes256 value, int bits) => new((value._value.AsInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes256 value, float* target) => value._value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Widened(void* source) => Vector256.WidenLower(Vector128.Load((ushort*)source).ToVector256Unsafe());
}

/// <summary>Sixteen elements: processors with AVX-512.</summary>
internal readonly unsafe struct Lanes512(Vector512<float> value) : ILanes<Lanes512>
{
    private readonly Vector512<float> _value = value;

    public static int Count => Vector512<float>.Count;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Broadcast(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Load(void* source) => new(Vector512.Load((float*)source));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadShifted(void* source) => new((Vector512.Load((uint*)source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadBFloat16(void* source) => new((Widened(source) << 16).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 LoadFloat16(void* source)
    {
        var stored = Widened(source).AsInt32();
        var magnitude = (stored & Vector512.Create(0x7FFF)) << 13;
        var exponent = Vector512.Create(HalfBits.Exponent);
        // Infinities and NaN have the largest exponent in both formats.
        var normal = magnitude + exponent + (Vector512.GreaterThanOrEqual(magnitude, Vector512.Create(HalfBits.Infinity)) & exponent);
        var least = Vector512.Create(HalfBits.LeastNormal);
        var subnormal = (magnitude + least).AsSingle() - least.AsSingle();
        var isSubnormal = Vector512.LessThan(magnitude, Vector512.Create(HalfBits.OneExponent));
        var widened = Vector512.ConditionalSelect(isSubnormal, subnormal.AsInt32(), normal);
        return new((widened | (stored & Vector512.Create(0x8000)) << 16).AsSingle());
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 MultiplyAdd(Lanes512 left, Lanes512 right, Lanes512 sum) =>
        new(Vector512.FusedMultiplyAdd(left._value, right._value, sum._value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 Multiply(Lanes512 left, Lanes512 right) => new(left._value * right._value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 And(Lanes512 value, uint mask) => new((value._value.AsUInt32() & Vector512.Create(mask)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Lanes512 ShiftRight(Lanes512 value, int bits) => new((value._value.AsInt32() >> bits).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Lanes512 value, float* target) => value._value.Store(target);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widened(void* source) => Vector512.WidenLower(Vector256.Load((ushort*)source).ToVector512Unsafe());
}

/// <summary>Numbers to widen half precision with: its fraction is shifted to its place, then the exponent is corrected.</summary>
internal static class HalfBits
{
    /// <summary>The difference of the exponents' zeros.</summary>
    public const int Exponent = 112 << 23;

    /// <summary>An exponent of one: what is below, shifted, is subnormal.</summary>
    public const int OneExponent = 1 << 23;

    /// <summary>Infinity, shifted.</summary>
    public const int Infinity = 31 << 23;

    /// <summary>2⁻¹⁴ as float32: a subnormal number's fraction added to it, and it taken away, is that number.</summary>
    public const int LeastNormal = 113 << 23;
}
