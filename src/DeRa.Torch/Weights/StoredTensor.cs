using TorchSharp;

namespace DeRa.Torch.Weights;

/// <summary>Where one tensor lies in a safetensors file. Row-major, little-endian.</summary>
/// <param name="Name">Its name in the header.</param>
/// <param name="Type">Element type as stored.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
/// <param name="OffsetBytes">Where its data begins, counted from the file's first byte.</param>
/// <param name="LengthBytes">How long its data is: product of the shape times the element size.</param>
internal sealed record StoredTensor(string Name, torch.ScalarType Type, long[] Shape, long OffsetBytes, long LengthBytes)
{
    /// <summary>How many elements it has.</summary>
    public long ElementCount => LengthBytes / StoredTypes.SizeBytes(Type);
}
