using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>
/// Copies tensors from a checkpoint's map to a device, piece by piece: beside the map and the result there is at most one
/// piece in memory. Shapes have been checked before (see <c>DecoderTensors</c>). Used by one thread, inside a dispose scope.
/// </summary>
internal sealed class WeightReader(
    Checkpoint checkpoint, Device device, ScalarType type, Action<long> onLoaded, CancellationToken cancellation)
{
    private const int PieceBytes = 64 << 20;

    /// <summary>Reads one tensor.</summary>
    /// <returns>[<paramref name="shape"/>] in the reader's element type on its device; owned by the caller's scope.</returns>
    public Tensor Read(string name, params long[] shape) => Read(type, name, shape);

    /// <summary>Reads one tensor as float32, whatever the reader's element type (norm weights are used in float32).</summary>
    public Tensor ReadFloat32(string name, params long[] shape) => Read(ScalarType.Float32, name, shape);

    /// <summary>Reads several tensors into one, below each other in their first dimension.</summary>
    /// <param name="parts">Their names and how many rows each has.</param>
    /// <param name="rowShape">The shape of one row; empty for vectors.</param>
    /// <returns>[sum of the rows, <paramref name="rowShape"/>]; owned by the caller's scope.</returns>
    public Tensor ReadStacked(IReadOnlyList<(string Name, long Rows)> parts, params long[] rowShape)
    {
        var stacked = Empty(type, [parts.Sum(part => part.Rows), .. rowShape]);
        long row = 0;
        foreach (var (name, rows) in parts)
        {
            Fill(stacked, row, rows, name);
            row += rows;
        }
        return stacked;
    }

    private Tensor Read(ScalarType target, string name, long[] shape)
    {
        var tensor = Empty(target, shape);
        Fill(tensor, 0, shape[0], name);
        return tensor;
    }

    private Tensor Empty(ScalarType target, long[] shape) => torch.empty(shape, dtype: target, device: device);

    private void Fill(Tensor target, long firstRow, long rows, string name)
    {
        using var scope = NewDisposeScope();
        var (file, stored) = checkpoint.Find(name)
            ?? throw new CheckpointException(checkpoint.Folder, $"tensor '{name}' is missing");
        var flat = target.narrow(0, firstRow, rows).view(-1);
        var elementBytes = StoredTypes.SizeBytes(stored.Type);
        var pieceElements = PieceBytes / elementBytes;
        for (long done = 0; done < stored.ElementCount; done += pieceElements)
        {
            cancellation.ThrowIfCancellationRequested();
            using var pieceScope = NewDisposeScope();
            var count = (int)Math.Min(pieceElements, stored.ElementCount - done);
            var place = flat.narrow(0, done, count);
            CopyPiece(file.Bytes(stored, done * elementBytes, count * elementBytes), stored.Type, place);
            onLoaded(count * (long)elementBytes);
        }
    }

    private static void CopyPiece(ReadOnlySpan<byte> source, ScalarType sourceType, Tensor place)
    {
        if (place.device_type == DeviceType.CPU && place.dtype == sourceType)
        {
            source.CopyTo(place.bytes);
            return;
        }
        var staging = torch.empty(place.numel(), dtype: sourceType, device: CPU);
        source.CopyTo(staging.bytes);
        place.copy_(staging);
    }
}
