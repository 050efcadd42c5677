using System.Buffers.Binary;

namespace DeRa.Torch.Native;

/// <summary>
/// Reads and patches a 64-bit little-endian ELF shared library by its dynamic section (System V gABI; Linux Standard
/// Base, symbol versioning). Every read is bounds-checked.
/// </summary>
internal sealed class ElfImage
{
    private const int ProgramHeaderBytes = 56, DynamicEntryBytes = 16;
    private const uint LoadSegment = 1, DynamicSegment = 2;

    private readonly byte[] _bytes;
    private readonly List<(ulong Address, ulong Offset, ulong Size)> _segments = [];
    private readonly Dictionary<ulong, ulong> _dynamic = [];

    /// <summary>Parses the headers; <paramref name="bytes"/> are kept and patched in place.</summary>
    /// <exception cref="InvalidDataException">Not a 64-bit little-endian ELF file, or truncated.</exception>
    public ElfImage(byte[] bytes)
    {
        _bytes = bytes;
        if (!Slice(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("not a 64-bit little-endian ELF file");
        var headers = UInt64(32);
        var headerBytes = UInt16(54);
        var count = UInt16(56);
        if (headerBytes != ProgramHeaderBytes)
            throw new InvalidDataException($"program headers of {headerBytes} bytes, not {ProgramHeaderBytes}");
        for (var i = 0UL; i < count; i++) ReadProgramHeader(Add(headers, i * ProgramHeaderBytes));
        if (_dynamic.Count == 0) throw new InvalidDataException("no dynamic section");
    }

    /// <summary>The value of a dynamic entry (DT_…), or null where the library has none.</summary>
    public ulong? Dynamic(ulong tag) => _dynamic.TryGetValue(tag, out var value) ? value : null;

    /// <summary>Maps an address of the loaded library to its place in the file.</summary>
    public ulong Offset(ulong address)
    {
        foreach (var segment in _segments)
            if (address >= segment.Address && address - segment.Address < segment.Size)
                return Add(segment.Offset, address - segment.Address);
        throw new InvalidDataException($"address 0x{address:x} lies in no loaded segment");
    }

    public ushort UInt16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(offset, 2));

    public uint UInt32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(Slice(offset, 4));

    public ulong UInt64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(Slice(offset, 8));

    public void WriteUInt16(ulong offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Slice(offset, 2), value);

    /// <summary>Whether the zero-terminated string at <paramref name="offset"/> is <paramref name="text"/> (ASCII bytes).</summary>
    public bool StringEquals(ulong offset, ReadOnlySpan<byte> text)
    {
        var found = Slice(offset, (ulong)text.Length + 1);
        return found[^1] == 0 && found[..^1].SequenceEqual(text);
    }

    public static ulong Add(ulong left, ulong right)
    {
        if (left > ulong.MaxValue - right) throw new InvalidDataException("an offset overflows");
        return left + right;
    }

    private void ReadProgramHeader(ulong at)
    {
        var type = UInt32(at);
        var (offset, address, size) = (UInt64(at + 8), UInt64(at + 16), UInt64(at + 32));
        if (type == LoadSegment) _segments.Add((address, offset, size));
        if (type == DynamicSegment) ReadDynamic(offset, size);
    }

    private void ReadDynamic(ulong start, ulong size)
    {
        for (var at = start; at - start < size; at = Add(at, DynamicEntryBytes))
        {
            var tag = UInt64(at);
            if (tag == 0) return;
            _dynamic.TryAdd(tag, UInt64(Add(at, 8)));
        }
    }

    private Span<byte> Slice(ulong offset, ulong length)
    {
        if (offset > (ulong)_bytes.Length || length > (ulong)_bytes.Length - offset)
            throw new InvalidDataException($"truncated: {length} bytes at {offset} of a file of {_bytes.Length}");
        return _bytes.AsSpan((int)offset, (int)length);
    }
}
