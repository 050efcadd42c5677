using System.Diagnostics;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// The cache blocks that are free. A block id is valid in every model's cache, so one pool counts them all.
/// Owned by the engine's thread; <see cref="InUse"/> may be read from any.
/// </summary>
internal sealed class BlockPool
{
    private readonly Stack<int> free;
    private readonly bool[] taken;
    private volatile int inUse;

    public BlockPool(int count)
    {
        taken = new bool[count];
        free = new Stack<int>(Enumerable.Range(0, count).Reverse());
    }

    public int Count => taken.Length;

    public int InUse => inUse;

    /// <summary>Takes <paramref name="count"/> blocks, or none: null where fewer are free.</summary>
    public int[]? TryTake(int count)
    {
        if (free.Count < count) return null;
        var blocks = new int[count];
        for (var i = 0; i < count; i++)
        {
            blocks[i] = free.Pop();
            taken[blocks[i]] = true;
        }
        inUse += count;
        return blocks;
    }

    /// <summary>Gives blocks back.</summary>
    /// <exception cref="InvalidOperationException">A block was free already.</exception>
    public void Return(int[] blocks)
    {
        foreach (var block in blocks)
        {
            if (!taken[block]) throw new InvalidOperationException($"cache block {block} was freed twice");
            taken[block] = false;
            free.Push(block);
        }
        inUse -= blocks.Length;
        Debug.Assert(inUse >= 0 && inUse + free.Count == Count);
    }
}
