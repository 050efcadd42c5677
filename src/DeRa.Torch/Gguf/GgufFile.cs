using DeRa.Torch.Weights;

namespace DeRa.Torch.Gguf;

/// <summary>
/// Writes a GGUF file, version 3: header, keys, the tensors' names, shapes and places, then their data, piece by piece from the
/// checkpoint's map. Source: the GGUF specification of ggml.
/// </summary>
/// <param name="tensors">Its tensors, in the order of their data.</param>
internal sealed class GgufFile(IReadOnlyList<GgufTensor> tensors)
{
    /// <summary>Data begins at multiples of this many bytes.</summary>
    public const int Alignment = 32;

    private const uint Magic = 0x4655_4747, Version = 3;
    private const int PieceBytes = 4 << 20;

    /// <summary>Bytes of the tensors' data, padding included.</summary>
    public long DataBytes => tensors.Sum(tensor => Aligned(tensor.LengthBytes));

    /// <summary>Writes everything.</summary>
    /// <param name="stream">Where, from its beginning.</param>
    /// <param name="metadata">Keys and values.</param>
    /// <param name="checkpoint">Holds the stored tensors, in the shapes that the tensors say.</param>
    /// <param name="onWritten">Receives the bytes of data written since the last call.</param>
    /// <param name="cancellation">Stops between two pieces.</param>
    /// <exception cref="CheckpointException">An element is too large for the file's type.</exception>
    public void Write(
        Stream stream, GgufMetadata metadata, Checkpoint checkpoint, Action<long> onWritten, CancellationToken cancellation)
    {
        WriteHeader(stream, metadata);
        foreach (var tensor in tensors)
        {
            if (tensor.Values is { } values)
            {
                var bytes = new byte[tensor.LengthBytes];
                GgufElements.Write(values, tensor.Type, bytes);
                stream.Write(bytes);
                onWritten(bytes.Length);
            }
            else
            {
                WriteStored(stream, tensor, checkpoint, onWritten, cancellation);
            }
            Pad(stream, tensor.LengthBytes);
        }
    }

    private void WriteHeader(Stream stream, GgufMetadata metadata)
    {
        using var header = new MemoryStream();
        using var writer = new BinaryWriter(header);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write((ulong)tensors.Count);
        writer.Write((ulong)metadata.Count);
        metadata.WriteTo(header);
        long place = 0;
        foreach (var tensor in tensors)
        {
            GgufMetadata.WriteString(writer, tensor.Name);
            writer.Write((uint)tensor.Shape.Count);
            for (var dimension = tensor.Shape.Count - 1; dimension >= 0; dimension--) writer.Write((ulong)tensor.Shape[dimension]);
            writer.Write((uint)tensor.Type);
            writer.Write((ulong)place);
            place += Aligned(tensor.LengthBytes);
        }
        header.WriteTo(stream);
        Pad(stream, header.Length);
    }

    private static void WriteStored(
        Stream stream, GgufTensor tensor, Checkpoint checkpoint, Action<long> onWritten, CancellationToken cancellation)
    {
        var (file, stored) = checkpoint.Find(tensor.Stored!)!.Value;
        var rowBytes = checked((int)(tensor.Columns * tensor.Type.SizeBytes()));
        var pieceRows = (int)Math.Clamp(PieceBytes / rowBytes, 1, tensor.Rows);
        var (elements, bytes) = (new float[pieceRows * tensor.Columns], new byte[pieceRows * (long)rowBytes]);
        for (long row = 0; row < tensor.Rows; row += pieceRows)
        {
            cancellation.ThrowIfCancellationRequested();
            var count = (int)Math.Min(pieceRows, tensor.Rows - row);
            var piece = elements.AsSpan(0, (int)(count * tensor.Columns));
            if (tensor.IsTransposed) ReadColumns(file, stored, row, count, piece);
            else ReadRows(file, stored, tensor, row, count, piece);
            // A sum of zero would lose the sign of −0.
            if (tensor.Offset != 0) foreach (ref var element in piece) element += tensor.Offset;
            var written = bytes.AsSpan(0, count * rowBytes);
            if (GgufElements.Write(piece, tensor.Type, written) is >= 0 and var tooLarge)
                throw CheckpointException.ForTensor(file.Path, stored.Name,
                    FormattableString.Invariant($"holds {piece[tooLarge]}, which is beyond {tensor.Type}; choose another --dtype"));
            stream.Write(written);
            onWritten(written.Length);
        }
    }

    private static void ReadRows(SafetensorsFile file, StoredTensor stored, GgufTensor tensor, long first, int count, Span<float> target)
    {
        var columns = (int)tensor.Columns;
        var rowBytes = columns * StoredTypes.SizeBytes(stored.Type);
        for (var row = 0; row < count; row++)
        {
            var source = tensor.StoredRow?.Invoke(first + row) ?? first + row;
            GgufElements.Read(file.Bytes(stored, source * rowBytes, rowBytes), stored.Type, target.Slice(row * columns, columns));
        }
    }

    /// <summary>Rows of the file that are columns of the checkpoint: [columns, rows].</summary>
    private static void ReadColumns(SafetensorsFile file, StoredTensor stored, long first, int count, Span<float> target)
    {
        var (columns, size) = ((int)stored.Shape[0], StoredTypes.SizeBytes(stored.Type));
        var strip = new float[count];
        for (var column = 0; column < columns; column++)
        {
            GgufElements.Read(file.Bytes(stored, (column * stored.Shape[1] + first) * size, count * size), stored.Type, strip);
            for (var row = 0; row < count; row++) target[row * columns + column] = strip[row];
        }
    }

    private static long Aligned(long bytes) => (bytes + Alignment - 1) / Alignment * Alignment;

    private static void Pad(Stream stream, long bytes)
    {
        ReadOnlySpan<byte> zeros = stackalloc byte[Alignment];
        stream.Write(zeros[..(int)(Aligned(bytes) - bytes)]);
    }
}
