using System.Buffers.Binary;
using System.Runtime.InteropServices;
using TorchSharp;

namespace DeRa.Torch.Gguf;

/// <summary>Elements of weights as float32 and back, rounded to nearest, ties to even. All little-endian.</summary>
internal static class GgufElements
{
    /// <summary>Reads stored elements.</summary>
    /// <param name="source">Stored elements.</param>
    /// <param name="type">Their type: float32, float16 or bfloat16.</param>
    /// <param name="target">As many elements.</param>
    public static void Read(ReadOnlySpan<byte> source, torch.ScalarType type, Span<float> target)
    {
        switch (type)
        {
            case torch.ScalarType.Float32:
                source.CopyTo(MemoryMarshal.AsBytes(target));
                break;
            case torch.ScalarType.Float16:
                for (var i = 0; i < target.Length; i++) target[i] = (float)BinaryPrimitives.ReadHalfLittleEndian(source[(2 * i)..]);
                break;
            default:
                for (var i = 0; i < target.Length; i++)
                    target[i] = BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(source[(2 * i)..]) << 16);
                break;
        }
    }

    /// <summary>Writes elements.</summary>
    /// <returns>The index of a finite element that is too large for the type, or −1.</returns>
    /// <param name="source">The elements.</param>
    /// <param name="type">Their type in the file.</param>
    /// <param name="target">Their bytes.</param>
    public static int Write(ReadOnlySpan<float> source, GgufElementType type, Span<byte> target)
    {
        switch (type)
        {
            case GgufElementType.Float32:
                MemoryMarshal.AsBytes(source).CopyTo(target);
                return -1;
            case GgufElementType.Float16:
                for (var i = 0; i < source.Length; i++)
                {
                    var half = (Half)source[i];
                    if (Half.IsInfinity(half) && float.IsFinite(source[i])) return i;
                    BinaryPrimitives.WriteHalfLittleEndian(target[(2 * i)..], half);
                }
                return -1;
            default:
                for (var i = 0; i < source.Length; i++)
                {
                    var bits = ToBFloat16(source[i]);
                    if ((bits & 0x7FFF) == 0x7F80 && float.IsFinite(source[i])) return i;
                    BinaryPrimitives.WriteUInt16LittleEndian(target[(2 * i)..], bits);
                }
                return -1;
        }
    }

    private static ushort ToBFloat16(float value)
    {
        var bits = BitConverter.SingleToUInt32Bits(value);
        // Rounding could turn a NaN into an infinity.
        return (ushort)((float.IsNaN(value) ? bits | 0x0040_0000 : bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
