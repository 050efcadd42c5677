using DeRa.Engine.Scheduling;

namespace DeRa.Torch.Caching;

/// <summary>Maps positions of a row to slots of the pool: slot = block id · block tokens + offset.</summary>
/// <param name="blockTokens">Tokens a block holds.</param>
internal readonly struct CacheSlots(int blockTokens)
{
    /// <summary>The slot of one position.</summary>
    public long Of(StepRow row, int position) =>
        (long)row.BlockTable[position / blockTokens] * blockTokens + position % blockTokens;

    /// <summary>The slots of positions first, first + 1, … up to the row's last one, which repeats to the end of the span.</summary>
    public void Fill(StepRow row, int first, Span<long> slots)
    {
        var last = row.Position + row.Tokens.Length - 1;
        for (var i = 0; i < slots.Length; i++) slots[i] = Of(row, Math.Min(first + i, last));
    }
}
