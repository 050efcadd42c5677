namespace DeRa.Torch.Caching;

/// <summary>Where the positions of one row lie in one model's pool: slot = block id · block tokens + offset.</summary>
/// <param name="blockTable">Position p lies in block blockTable[p / blockTokens].</param>
/// <param name="firstBlock">Where the part of the pool begins that belongs to the row's model.</param>
/// <param name="blockTokens">Tokens a block holds.</param>
internal readonly struct CacheSlots(IReadOnlyList<int> blockTable, int firstBlock, int blockTokens)
{
    /// <summary>The block of the pool that holds the row's positions block · blockTokens, ….</summary>
    public int Block(int block) => blockTable[block] + firstBlock;

    /// <summary>The slots of positions first, first + 1, …, one for each element of <paramref name="slots"/>.</summary>
    public void Fill(int first, Span<long> slots)
    {
        var (block, offset) = Math.DivRem(first, blockTokens);
        for (var filled = 0; filled < slots.Length; block++, offset = 0)
        {
            var slot = (long)Block(block) * blockTokens + offset;
            for (var end = Math.Min(slots.Length, filled + blockTokens - offset); filled < end; filled++)
                slots[filled] = slot++;
        }
    }
}
