using TorchSharp;

namespace DeRa.Torch.Weights;

/// <summary>The location of one tensor in a safetensors file. Row-major, little-endian.</summary>
/// <param name="Name">Its name in the header.</param>
/// <param name="TypeName">Element type as the header names it, such as <c>BF16</c>.</param>
/// <param name="Shape">Its dimensions; empty for a scalar.</param>
/// <param name="OffsetBytes">Where its data begins, counted from the file's first byte.</param>
/// <param name="LengthBytes">Length of its data: product of the shape times the element size.</param>
internal sealed record StoredTensor(string Name, string TypeName, long[] Shape, long OffsetBytes, long LengthBytes)
{
    /// <summary>Whether its elements are of a type that weights may have.</summary>
    public bool IsWeight => StoredTypes.OfWeights(TypeName) is not null;

    /// <summary>Element type.</summary>
    /// <exception cref="InvalidOperationException">Weights may not have it.</exception>
    public torch.ScalarType Type => StoredTypes.OfWeights(TypeName) ?? throw new InvalidOperationException($"{Name} holds no weights");

    /// <summary>How many elements it has.</summary>
    public long ElementCount => LengthBytes * 8 / StoredTypes.BitsOf(TypeName)!.Value;
}
