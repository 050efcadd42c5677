namespace DeRa.Torch.Caching;

/// <summary>
/// One layer's keys and values as our own kernels lay them out: what one head keeps in a block lies together. Keys are
/// [blocks, keyValueHeads, headDimension, blockTokens], so that a vector holds one dimension of many positions; values are
/// [blocks, keyValueHeads, blockTokens, headDimension].
/// </summary>
/// <param name="keys">The first block's keys.</param>
/// <param name="values">
/// The first block's values; behind the last one lies memory for <see cref="ReadBeyond"/> elements, which kernels may read.
/// </param>
/// <param name="keyValueHeads">Heads that have keys of their own.</param>
/// <param name="dimension">Elements of a key.</param>
/// <param name="blockTokens">Tokens a block holds.</param>
/// <param name="elementBytes">Bytes of an element.</param>
internal readonly unsafe struct BlockPool(
    byte* keys, byte* values, int keyValueHeads, int dimension, int blockTokens, int elementBytes)
{
    /// <summary>The longest vector: a kernel reads whole ones.</summary>
    public const int ReadBeyond = 16;

    /// <summary>Heads that have keys of their own.</summary>
    public int KeyValueHeads => keyValueHeads;

    /// <summary>Elements of a key.</summary>
    public int Dimension => dimension;

    /// <summary>Tokens a block holds.</summary>
    public int BlockTokens => blockTokens;

    /// <summary>[headDimension, blockTokens].</summary>
    public byte* Keys(int block, int head) => keys + Offset(block, head);

    /// <summary>[blockTokens, headDimension].</summary>
    public byte* Values(int block, int head) => values + Offset(block, head);

    private long Offset(int block, int head) => ((long)block * keyValueHeads + head) * dimension * blockTokens * elementBytes;
}
