using System.Diagnostics;

namespace DeRa.Engine.Scheduling;

/// <summary>
/// The cache blocks that are free. A block id is valid in every model's cache, so one pool counts them all.
/// Owned by the engine's thread; <see cref="InUse"/> may be read from any.
/// </summary>
internal sealed class BlockPool
{
    private readonly Stack<int> _free;
    private readonly bool[] _taken;
    private volatile int _inUse;

    public BlockPool(int count)
    {
        _taken = new bool[count];
        _free = new Stack<int>(Enumerable.Range(0, count).Reverse());
    }

    public int Count => _taken.Length;

    public int InUse => _inUse;

    /// <summary>Takes <paramref name="count"/> blocks, or none: null where fewer are free.</summary>
    public int[]? TryTake(int count)
    {
        if (_free.Count < count) return null;
        var blocks = new int[count];
        for (var i = 0; i < count; i++)
        {
            blocks[i] = _free.Pop();
            _taken[blocks[i]] = true;
        }
        _inUse += count;
        return blocks;
    }

    /// <summary>Gives blocks back.</summary>
    /// <exception cref="InvalidOperationException">A block was free already.</exception>
    public void Return(int[] blocks)
    {
        foreach (var block in blocks)
        {
            if (!_taken[block]) throw new InvalidOperationException($"cache block {block} was freed twice");
            _taken[block] = false;
            _free.Push(block);
        }
        _inUse -= blocks.Length;
        Debug.Assert(_inUse >= 0 && _inUse + _free.Count == Count);
    }
}
