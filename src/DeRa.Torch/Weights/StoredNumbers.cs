using System.Buffers.Binary;
using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>Elements of weights as files hold them.</summary>
internal static class StoredNumbers
{
    /// <summary>One element.</summary>
    public static float Read(ReadOnlySpan<byte> bytes, ScalarType type, int index) => type switch
    {
        ScalarType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(bytes[(4 * index)..]),
        ScalarType.Float16 => (float)BinaryPrimitives.ReadHalfLittleEndian(bytes[(2 * index)..]),
        _ => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(bytes[(2 * index)..]) << 16),
    };

    /// <summary>Writes one element, rounded to its type.</summary>
    public static void Write(Span<byte> bytes, ScalarType type, int index, float number)
    {
        if (type == ScalarType.Float32) BinaryPrimitives.WriteSingleLittleEndian(bytes[(4 * index)..], number);
        else if (type == ScalarType.Float16) BinaryPrimitives.WriteHalfLittleEndian(bytes[(2 * index)..], (Half)number);
        else BinaryPrimitives.WriteInt16LittleEndian(
            bytes[(2 * index)..], (short)(BitConverter.SingleToInt32Bits(Rounded(number, type)) >> 16));
    }

    /// <summary>The nearest number of a type, ties to even, like libtorch.</summary>
    public static float Rounded(float number, ScalarType type) => type switch
    {
        ScalarType.Float32 => number,
        ScalarType.Float16 => (float)(Half)number,
        _ => ToBFloat16(number),
    };

    private static float ToBFloat16(float number)
    {
        var bits = BitConverter.SingleToUInt32Bits(number);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF_0000);
    }
}
