using System.Runtime.InteropServices;

namespace DeRa.Engine.Branches;

/// <summary>What a cache block holds: tokens, and the block before them. Two blocks with one name hold the same keys and values.</summary>
/// <param name="Parent">The number of the named block before it (<see cref="BlockStore.Name"/>); 0 for a text's first.</param>
/// <param name="Scope">Texts of other scopes have other names; set for a text's first block, else null.</param>
/// <param name="Tokens">Its tokens: a full block, or the rest of a prompt.</param>
internal readonly record struct BlockName(long Parent, string? Scope, ReadOnlyMemory<int> Tokens);

/// <summary>Compares names by all that they say; the hash only says where to look.</summary>
/// <param name="hashBits">How many bits of the hash count, [0, 32]; fewer for tests.</param>
internal sealed class BlockNameComparer(int hashBits) : IEqualityComparer<BlockName>
{
    public bool Equals(BlockName left, BlockName right) =>
        left.Parent == right.Parent && left.Scope == right.Scope && left.Tokens.Span.SequenceEqual(right.Tokens.Span);

    public int GetHashCode(BlockName name)
    {
        var hash = new HashCode();
        hash.Add(name.Parent);
        hash.Add(name.Scope);
        hash.AddBytes(MemoryMarshal.AsBytes(name.Tokens.Span));
        return (int)(hash.ToHashCode() & ((1L << hashBits) - 1));
    }
}
