using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>How much memory is free.</summary>
internal static class DeviceMemory
{
    private const string LinuxMemoryFile = "/proc/meminfo";

    /// <summary>Bytes that can be allocated on a device now, or null where nobody can say.</summary>
    public static long? AvailableBytes(Device device) =>
        device.type == DeviceType.CUDA ? CudaMemory.FreeBytes(device.index) : AvailableHostBytes();

    private static long AvailableHostBytes()
    {
        var limits = GC.GetGCMemoryInfo();
        // The collector's limit knows a container's; it counts this process, not the others.
        var allowed = limits.TotalAvailableMemoryBytes - Environment.WorkingSet;
        var free = ReadLinuxAvailableBytes() ?? limits.TotalAvailableMemoryBytes - limits.MemoryLoadBytes;
        return Math.Max(0, Math.Min(allowed, free));
    }

    private static long? ReadLinuxAvailableBytes()
    {
        if (!File.Exists(LinuxMemoryFile)) return null;
        var line = File.ReadLines(LinuxMemoryFile).FirstOrDefault(line => line.StartsWith("MemAvailable:", StringComparison.Ordinal));
        var number = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries).ElementAtOrDefault(1);
        return long.TryParse(number, out var kibibytes) ? kibibytes << 10 : null;
    }
}
