using System.Buffers.Binary;
using System.Text;
using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public sealed class ElfVersionNeedsTests(LoadedTorch torchLibrary)
{
    [Fact]
    public void Marking_the_shim_changes_one_flag_of_one_version_need()
    {
        var shim = Shim();
        var patched = Shim();
        Assert.True(ElfVersionNeeds.MarkWeak(patched, ShimLoader.NewestVersion));

        var changed = Enumerable.Range(0, shim.Length).Where(i => shim[i] != patched[i]).ToArray();
        var flags = Assert.Single(changed);
        Assert.Equal((0, 2), (shim[flags], patched[flags]));
        // The record's first field is the SysV hash of the version's name.
        Assert.Equal(SysVHash(ShimLoader.NewestVersion), BinaryPrimitives.ReadUInt32LittleEndian(patched.AsSpan(flags - 4)));
    }

    [Fact]
    public void Marking_twice_changes_no_more()
    {
        var once = Shim();
        ElfVersionNeeds.MarkWeak(once, ShimLoader.NewestVersion);
        var twice = once.ToArray();
        Assert.True(ElfVersionNeeds.MarkWeak(twice, ShimLoader.NewestVersion));
        Assert.Equal(once, twice);
    }

    [Fact]
    public void A_version_that_nothing_needs_changes_nothing()
    {
        var shim = Shim();
        Assert.False(ElfVersionNeeds.MarkWeak(shim, "GLIBCXX_9.9.99"));
        Assert.Equal(Shim(), shim);
    }

    [Fact]
    public void A_version_to_which_code_is_bound_is_refused()
    {
        var error = Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak(Shim(), "GLIBCXX_3.4"));
        Assert.Contains("bound to GLIBCXX_3.4", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_library_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak([], "GLIBCXX_3.4"));
        Assert.Throws<InvalidDataException>(() =>
            ElfVersionNeeds.MarkWeak(Encoding.ASCII.GetBytes("MZ, a Windows program"), "GLIBCXX_3.4"));
    }

    [Theory]
    [InlineData(5)]
    [InlineData(63)]
    [InlineData(200)]
    [InlineData(4096)]
    [InlineData(200_000)]
    public void A_library_that_is_cut_short_is_refused(int bytes) =>
        Assert.Throws<InvalidDataException>(() => ElfVersionNeeds.MarkWeak(Shim()[..bytes], ShimLoader.NewestVersion));

    /// <summary>Whatever the headers and tables say, the patcher ends with an answer or a refusal.</summary>
    [Fact]
    public void A_library_with_wrong_bytes_is_patched_or_refused()
    {
        var shim = Shim();
        var random = new Random(7);
        for (var round = 0; round < 300; round++)
        {
            var broken = shim.ToArray();
            for (var i = 0; i < 8; i++) broken[random.Next(Interesting(round, broken.Length))] = (byte)random.Next(256);
            Assert.True(Record.Exception(() => ElfVersionNeeds.MarkWeak(broken, ShimLoader.NewestVersion)) is null or InvalidDataException);
        }
    }

    [Fact]
    public void A_copy_loads_from_memory_and_from_a_temporary_file()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the shim is patched on Linux only");
        var shim = Shim();
        ElfVersionNeeds.MarkWeak(shim, ShimLoader.NewestVersion);
        Assert.True(ShimLoader.TryLoadFromMemory(shim, out _, out var memoryError), memoryError);
        Assert.True(ShimLoader.TryLoadFromTemporaryFile(shim, out _, out var fileError), fileError);
    }

    /// <summary>Headers, then the tables around the version needs, then the whole file.</summary>
    private static int Interesting(int round, int length) => (round % 3) switch { 0 => 0x400, 1 => 0x40000, _ => length };

    private static uint SysVHash(string name)
    {
        var hash = 0u;
        foreach (var letter in name)
        {
            hash = (hash << 4) + letter;
            hash = (hash ^ ((hash & 0xf0000000) >> 24)) & 0x0fffffff;
        }
        return hash;
    }

    private byte[] Shim()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the shim is an ELF file on Linux only");
        return File.ReadAllBytes(torchLibrary.Library.Shim);
    }
}
