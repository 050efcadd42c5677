using System.Globalization;
using System.Runtime.InteropServices;

namespace DeRa.Torch.Caching;

/// <summary>
/// Free memory of the machine, or of the container. The garbage collector's limit does not help: it bounds managed objects, and
/// weights and caches are native memory.
/// </summary>
internal static partial class HostMemory
{
    private const string MachineFile = "/proc/meminfo";

    /// <summary>Bytes that this process can allocate now.</summary>
    public static long AvailableBytes() => AvailableBytes("/proc/self/cgroup", "/sys/fs/cgroup");

    /// <inheritdoc cref="AvailableBytes()"/>
    /// <param name="membershipFile">Names the control groups of this process (cgroups(7)).</param>
    /// <param name="root">Where control groups are mounted: version 2, or version 1 with the memory controller below it.</param>
    internal static long AvailableBytes(string membershipFile, string root) =>
        Math.Max(0, ContainerBytes(membershipFile, root).Append(MachineBytes()).Min());

    private static long MachineBytes()
    {
        if (!File.Exists(MachineFile))
        {
            var memory = GC.GetGCMemoryInfo();
            return memory.TotalAvailableMemoryBytes - memory.MemoryLoadBytes;
        }
        var line = File.ReadLines(MachineFile).First(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }

    /// <summary>What each control group around this process has left, where it has a limit.</summary>
    private static IEnumerable<long> ContainerBytes(string membershipFile, string root)
    {
        if (!File.Exists(membershipFile)) yield break;
        foreach (var membership in File.ReadLines(membershipFile).Select(line => line.Split(':', 3)))
        {
            var isUnified = membership is ["0", "", _];
            if (membership.Length < 3 || !(isUnified || membership[1].Split(',').Contains("memory"))) continue;
            var (mount, limit, usage) = isUnified
                ? (root, "memory.max", "memory.current")
                : (Path.Combine(root, "memory"), "memory.limit_in_bytes", "memory.usage_in_bytes");
            // A container may see its own group as the root, whatever name it has outside.
            for (var group = membership[2].Trim('/'); ; group = Path.GetDirectoryName(group) ?? "")
            {
                var folder = Path.Combine(mount, group);
                if (ReadNumber(Path.Combine(folder, limit)) is { } most && ReadNumber(Path.Combine(folder, usage)) is { } used)
                    yield return most - Math.Max(0, used - ReclaimableBytes(folder));
                if (group.Length == 0) break;
            }
        }
    }

    /// <summary>The page cache of files not read lately counts as used, but is reclaimed on demand.</summary>
    private static long ReclaimableBytes(string folder)
    {
        const string Name = "inactive_file ";
        var file = Path.Combine(folder, "memory.stat");
        var line = File.Exists(file) ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal)) : null;
        return line is null ? 0 : long.Parse(line[Name.Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>Null where there is no such file, or it says <c>max</c>: no limit.</summary>
    private static long? ReadNumber(string file) =>
        File.Exists(file)
        && long.TryParse(File.ReadAllText(file), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number)
            ? number : null;

    /// <summary>
    /// Gives back to the system what the C library keeps of freed memory: after loading that can be a tenth of the weights.
    /// </summary>
    public static void Trim()
    {
        var program = NativeLibrary.GetMainProgramHandle();
        if (OperatingSystem.IsLinux() && NativeLibrary.TryGetExport(program, "malloc_trim", out _)) _ = TrimHeap(0);
    }

    /// <summary>
    /// Makes glibc keep large pieces that are freed for the next ones of their size, instead of asking the system for each: for programs
    /// that compute alike step after step, as training does, where page faults are a tenth of the time otherwise. Elsewhere nothing
    /// happens.
    /// </summary>
    public static void KeepFreed()
    {
        var program = NativeLibrary.GetMainProgramHandle();
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryGetExport(program, "mallopt", out _)) return;
        foreach (var (option, value) in (ReadOnlySpan<(int, int)>)[(MaxMappedPieces, 0), (TrimThreshold, int.MaxValue), (MaxArenas, 1)])
            _ = SetAllocator(option, value);
    }

    // malloc.h
    private const int TrimThreshold = -1, MaxMappedPieces = -4, MaxArenas = -8;

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetAllocator(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int TrimHeap(nint keptBytes);
}
