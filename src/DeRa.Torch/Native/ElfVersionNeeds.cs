using System.Text;

namespace DeRa.Torch.Native;

/// <summary>
/// Marks a library's requirement of one symbol version as weak, so that the dynamic linker loads the library although the version is
/// missing (glibc, elf/dl-version.c: VER_FLG_WEAK). Sound only if no symbol is bound to the version.
/// </summary>
internal static class ElfVersionNeeds
{
    private const ulong StringTable = 5, Relocations = 7, RelocationBytes = 8, PltRelocationBytes = 2, PltRelocations = 23;
    private const ulong SymbolVersions = 0x6ffffff0, VersionNeeds = 0x6ffffffe, VersionNeedCount = 0x6fffffff;
    private const int RelocationEntryBytes = 24;
    private const ushort WeakFlag = 2, VersionIndexMask = 0x7fff;

    /// <summary>Marks the requirement in place.</summary>
    /// <param name="image">A shared library; changed.</param>
    /// <param name="version">The version's name, such as GLIBCXX_3.4.32.</param>
    /// <returns>False where the library does not need the version.</returns>
    /// <exception cref="InvalidDataException">The file is broken, or a relocation is bound to the version.</exception>
    public static bool MarkWeak(byte[] image, string version)
    {
        var elf = new ElfImage(image);
        if (FindNeed(elf, Encoding.ASCII.GetBytes(version)) is not { } need) return false;
        var index = elf.UInt16(need + 6);
        if (IsBound(elf, index, Relocations, RelocationBytes) || IsBound(elf, index, PltRelocations, PltRelocationBytes))
            throw new InvalidDataException($"its code is bound to {version}");
        elf.WriteUInt16(need + 4, (ushort)(elf.UInt16(need + 4) | WeakFlag));
        return true;
    }

    /// <summary>The offset of the Vernaux record that names the version: hash 4, flags 2, index 2, name 4, next 4 bytes.</summary>
    private static ulong? FindNeed(ElfImage elf, byte[] version)
    {
        if (elf.Dynamic(VersionNeeds) is not { } address || elf.Dynamic(VersionNeedCount) is not { } count) return null;
        var strings = elf.Offset(Required(elf, StringTable, "string table"));
        var need = elf.Offset(address);
        for (var i = 0UL; i < count; i++)
        {
            if (FindInFile(elf, need, strings, version) is { } found) return found;
            var next = elf.UInt32(ElfImage.Add(need, 12));
            if (next == 0) return null;
            need = ElfImage.Add(need, next);
        }
        return null;
    }

    /// <summary>Walks the versions needed of one file. Verneed: version 2, count 2, file 4, first 4, next 4 bytes.</summary>
    private static ulong? FindInFile(ElfImage elf, ulong need, ulong strings, byte[] version)
    {
        var count = elf.UInt16(ElfImage.Add(need, 2));
        var entry = ElfImage.Add(need, elf.UInt32(ElfImage.Add(need, 8)));
        for (var i = 0; i < count; i++)
        {
            if (elf.StringEquals(ElfImage.Add(strings, elf.UInt32(ElfImage.Add(entry, 8))), version)) return entry;
            entry = ElfImage.Add(entry, elf.UInt32(ElfImage.Add(entry, 12)));
        }
        return null;
    }

    /// <summary>Whether a relocation's symbol asks for the version. Rela: offset 8, type 4, symbol 4, addend 8 bytes.</summary>
    private static bool IsBound(ElfImage elf, ushort index, ulong table, ulong tableBytes)
    {
        if (elf.Dynamic(table) is not { } address || elf.Dynamic(tableBytes) is not { } bytes) return false;
        var versions = elf.Offset(Required(elf, SymbolVersions, "symbol versions"));
        var first = elf.Offset(address);
        for (var at = 0UL; at < bytes; at += RelocationEntryBytes)
        {
            var symbol = elf.UInt32(ElfImage.Add(first, at + 12));
            if (symbol != 0 && (elf.UInt16(ElfImage.Add(versions, symbol * 2UL)) & VersionIndexMask) == index) return true;
        }
        return false;
    }

    private static ulong Required(ElfImage elf, ulong tag, string name) =>
        elf.Dynamic(tag) ?? throw new InvalidDataException($"no {name} in its dynamic section");
}
