using DeRa.Torch.Weights;

namespace DeRa.Torch.Merging;

/// <summary>Interpolates one tensor, piece by piece, in float32.</summary>
internal static class TensorMerge
{
    private const int PieceElements = 1 << 20;

    /// <summary>Writes it in the reference's type.</summary>
    /// <param name="target">Where.</param>
    /// <param name="reference">A tensor and its file.</param>
    /// <param name="aligned">The aligned model's, of the same shape; null = the reference's is copied.</param>
    /// <param name="strength">0 = the reference's, 1 = the aligned model's.</param>
    /// <param name="onWritten">Receives bytes.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    public static void Write(Stream target, (SafetensorsFile File, StoredTensor Tensor) reference,
        (SafetensorsFile File, StoredTensor Tensor)? aligned, float strength, Action<long> onWritten, CancellationToken cancellation)
    {
        var piece = new byte[PieceElements * sizeof(float)];
        for (long done = 0; done < reference.Tensor.LengthBytes;)
        {
            cancellation.ThrowIfCancellationRequested();
            var bytes = reference.File.Bytes(reference.Tensor, done, (int)Math.Min(piece.Length, reference.Tensor.LengthBytes - done));
            if (strength != 0 && aligned is { } other) target.Write(Mix(bytes, reference.Tensor, other, done, strength, piece));
            else target.Write(bytes);
            done += bytes.Length;
            onWritten(bytes.Length);
        }
    }

    private static ReadOnlySpan<byte> Mix(ReadOnlySpan<byte> bytes, StoredTensor reference,
        (SafetensorsFile File, StoredTensor Tensor) aligned, long offset, float strength, byte[] piece)
    {
        var (type, alignedType) = (reference.Type, aligned.Tensor.Type);
        var (size, alignedSize) = (StoredTypes.SizeBytes(type), StoredTypes.SizeBytes(alignedType));
        var count = bytes.Length / size;
        var others = aligned.File.Bytes(aligned.Tensor, offset / size * alignedSize, count * alignedSize);
        for (var i = 0; i < count; i++)
        {
            var (from, to) = (StoredNumbers.Read(bytes, type, i), StoredNumbers.Read(others, alignedType, i));
            // Not 0·from + to, which is 0 where to is −0.
            StoredNumbers.Write(piece, type, i, strength == 1 ? to : (1 - strength) * from + strength * to);
        }
        return piece.AsSpan(0, bytes.Length);
    }
}
