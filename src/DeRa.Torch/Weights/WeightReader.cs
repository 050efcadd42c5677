using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Weights;

/// <summary>
/// Copies tensors from a checkpoint's map to a device, piece by piece: besides the map and the result, at most one piece is in
/// memory. Shapes have been checked before (see <c>DecoderTensors</c>). Used by one thread, inside a dispose scope.
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

    /// <summary>An uninitialised tensor in the reader's element type on its device; owned by the caller's scope.</summary>
    public Tensor Empty(params long[] shape) => Empty(type, shape);

    /// <summary>An uninitialised tensor on the reader's device; owned by the caller's scope.</summary>
    public Tensor Empty(ScalarType target, params long[] shape) => torch.empty(shape, dtype: target, device: device);

    /// <summary>Reads one tensor into an existing one.</summary>
    /// <param name="target">As many elements as the stored tensor has, in its order, with any strides.</param>
    /// <param name="name">The tensor.</param>
    public void Fill(Tensor target, string name)
    {
        using var scope = NewDisposeScope();
        var (file, stored) = checkpoint.Find(name)
            ?? throw new CheckpointException(checkpoint.Folder, $"tensor '{name}' is missing");
        var rows = target.is_contiguous() ? target.view(-1) : target;
        var rowBytes = target.numel() / rows.size(0) * StoredTypes.SizeBytes(stored.Type);
        var pieceRows = Math.Max(1, PieceBytes / rowBytes);
        for (long row = 0; row < rows.size(0); row += pieceRows)
        {
            cancellation.ThrowIfCancellationRequested();
            using var pieceScope = NewDisposeScope();
            var count = Math.Min(pieceRows, rows.size(0) - row);
            var bytes = file.Bytes(stored, row * rowBytes, (int)(count * rowBytes));
            CopyPiece(bytes, stored.Type, rows.narrow(0, row, count));
            onLoaded(bytes.Length);
        }
    }

    private Tensor Read(ScalarType target, string name, long[] shape)
    {
        var tensor = Empty(target, shape);
        Fill(tensor, name);
        return tensor;
    }

    private static void CopyPiece(ReadOnlySpan<byte> source, ScalarType sourceType, Tensor place)
    {
        if (place.device_type == DeviceType.CPU && place.dtype == sourceType && place.is_contiguous())
        {
            source.CopyTo(place.bytes);
            return;
        }
        var staging = torch.empty(place.shape, dtype: sourceType, device: CPU);
        source.CopyTo(staging.bytes);
        place.copy_(staging);
    }
}
