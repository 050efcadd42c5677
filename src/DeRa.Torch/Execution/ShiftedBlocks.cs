using System.Collections;

namespace DeRa.Torch.Execution;

/// <summary>
/// A block table as it lies in a later part of a pool that several members share: every id is so many blocks further on.
/// </summary>
internal sealed class ShiftedBlocks(IReadOnlyList<int> table, int blocks) : IReadOnlyList<int>
{
    /// <inheritdoc/>
    public int Count => table.Count;

    /// <inheritdoc/>
    public int this[int index] => table[index] + blocks;

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => table.Select(block => block + blocks).GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
