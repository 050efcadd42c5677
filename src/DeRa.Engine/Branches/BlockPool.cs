using System.Diagnostics;

namespace DeRa.Engine.Branches;

/// <summary>
/// The cache blocks that are free, and how many branches hold each of the others. A block id is valid in every model's cache, so one
/// pool counts them all. Owned by the engine's thread; <see cref="InUse"/> may be read from any.
/// </summary>
internal sealed class BlockPool
{
    private readonly Stack<int> _free;
    private readonly int[] _holders;
    private volatile int _inUse;

    public BlockPool(int count)
    {
        _holders = new int[count];
        _free = new Stack<int>(Enumerable.Range(0, count).Reverse());
    }

    public int Count => _holders.Length;

    public int InUse => _inUse;

    /// <summary>Takes <paramref name="count"/> blocks, or none: null where fewer are free.</summary>
    public int[]? TryTake(int count)
    {
        if (_free.Count < count) return null;
        var blocks = new int[count];
        for (var i = 0; i < count; i++)
        {
            blocks[i] = _free.Pop();
            _holders[blocks[i]] = 1;
        }
        _inUse += count;
        return blocks;
    }

    /// <summary>Counts one more holder of a block that is held.</summary>
    public void Share(int block)
    {
        if (_holders[block] == 0) throw new InvalidOperationException($"cache block {block} is free and cannot be shared");
        _holders[block]++;
    }

    /// <summary>Gives blocks back; one is free once its last holder has.</summary>
    /// <exception cref="InvalidOperationException">A block was free already.</exception>
    public void Return(ReadOnlySpan<int> blocks)
    {
        foreach (var block in blocks)
        {
            if (_holders[block] == 0) throw new InvalidOperationException($"cache block {block} was freed twice");
            if (--_holders[block] > 0) continue;
            _free.Push(block);
            _inUse--;
        }
        Debug.Assert(_inUse >= 0 && _inUse + _free.Count == Count);
    }
}
