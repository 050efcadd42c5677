using DeRa.Testing;
using DeRa.Torch.Caching;
using Xunit;

namespace DeRa.Torch.Tests.Caching;

/// <summary>A container's limit counts, in both versions of control groups, at every level.</summary>
public sealed class HostMemoryTests : IDisposable
{
    private const long Mebibyte = 1 << 20;

    private readonly TemporaryFolder _root = new();

    [Fact]
    public void Without_a_limit_it_is_what_the_machine_has() => Assert.InRange(Available("0::/"), 64 * Mebibyte, long.MaxValue);

    [Fact]
    public void A_group_of_version_2_leaves_its_limit_less_what_it_uses_but_for_old_pages_of_files()
    {
        Write("pod/memory.max", $"{100 * Mebibyte}\n");
        Write("pod/memory.current", $"{70 * Mebibyte}\n");
        Write("pod/memory.stat", $"anon 5\ninactive_file {30 * Mebibyte}\nactive_file 7\n");
        Assert.Equal(60 * Mebibyte, Available("0::/pod"));
        Assert.Equal(60 * Mebibyte, Available("0::/pod/inner"));
    }

    [Fact]
    public void Of_nested_groups_the_tightest_counts_and_max_is_no_limit()
    {
        Write("pod/memory.max", $"{50 * Mebibyte}");
        Write("pod/memory.current", $"{20 * Mebibyte}");
        Write("pod/inner/memory.max", "max\n");
        Write("pod/inner/memory.current", "5");
        Assert.Equal(30 * Mebibyte, Available("0::/pod/inner"));
        Write("memory.max", $"{10 * Mebibyte}");
        Write("memory.current", $"{12 * Mebibyte}");
        Assert.Equal(0, Available("0::/pod/inner"));
    }

    [Fact]
    public void A_group_of_version_1_counts_too()
    {
        Write("memory/docker/a:b/memory.limit_in_bytes", $"{40 * Mebibyte}");
        Write("memory/docker/a:b/memory.usage_in_bytes", $"{10 * Mebibyte}");
        Assert.Equal(30 * Mebibyte, Available("5:cpu:/x\n4:memory:/docker/a:b\n0::/"));
    }

    public void Dispose() => _root.Dispose();

    private long Available(string membership)
    {
        Write("cgroup", membership);
        return HostMemory.AvailableBytes(Path.Combine(_root.Path, "cgroup"), _root.Path);
    }

    private void Write(string name, string text)
    {
        var file = Path.Combine(_root.Path, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
