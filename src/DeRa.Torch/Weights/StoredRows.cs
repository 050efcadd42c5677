using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>Compares the data of two stored tensors, piece by piece in their maps, without libtorch.</summary>
internal static class StoredRows
{
    private const int PieceElements = 1 << 20;

    /// <summary>
    /// Whether the first elements of two weight tensors are equal. Where the copy is of another type, the original's are rounded to it
    /// first, as they were when the original was loaded in that type.
    /// </summary>
    /// <param name="original">A tensor and its file.</param>
    /// <param name="copy">Another, which may be its copy.</param>
    /// <param name="elements">How many to compare; both have at least as many.</param>
    public static bool AreSame(
        (SafetensorsFile File, StoredTensor Tensor) original, (SafetensorsFile File, StoredTensor Tensor) copy, long elements)
    {
        for (long done = 0; done < elements; done += PieceElements)
        {
            var count = (int)Math.Min(PieceElements, elements - done);
            var first = Piece(original, done, count);
            var second = Piece(copy, done, count);
            var isSame = original.Tensor.Type == copy.Tensor.Type
                ? first.SequenceEqual(second)
                : AreSame(first, original.Tensor.Type, second, copy.Tensor.Type, count);
            if (!isSame) return false;
        }
        return true;
    }

    private static ReadOnlySpan<byte> Piece((SafetensorsFile File, StoredTensor Tensor) stored, long first, int count)
    {
        var size = StoredTypes.SizeBytes(stored.Tensor.Type);
        return stored.File.Bytes(stored.Tensor, first * size, count * size);
    }

    private static bool AreSame(
        ReadOnlySpan<byte> original, ScalarType originalType, ReadOnlySpan<byte> copy, ScalarType copyType, int count)
    {
        for (var i = 0; i < count; i++)
            if (StoredNumbers.Rounded(StoredNumbers.Read(original, originalType, i), copyType)
                != StoredNumbers.Read(copy, copyType, i))
                return false;
        return true;
    }
}
