using System.Collections;

namespace DeRa.Torch.Execution;

/// <summary>
/// A block table shifted to a later part of a pool that several members share: every id is that many blocks further on.
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
