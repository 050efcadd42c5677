using System.Runtime.InteropServices;
using DeRa.Hosting.Options;

namespace DeRa.Hosting.Connections;

/// <summary>
/// How many connections fit under the limit of open files. A process at that limit can accept nothing, open nothing and load
/// no assembly; so connections get what it leaves beyond a reserve.
/// </summary>
public static class DescriptorLimit
{
    /// <summary>
    /// Descriptors kept for all but connections: about 240 are open at rest, most of them for assemblies; the others are for a
    /// model's shards while it is loaded, an exporter's connections, files that are read again.
    /// </summary>
    public const int Reserved = 320;

    /// <summary>With fewer connections than these there is no serving.</summary>
    private const int FewestConnections = 8;

    /// <summary>
    /// How many files this process may have open, or null where there is no limit or none that can be read. .NET raises the
    /// soft limit to the hard one by itself, so this is usually the latter.
    /// </summary>
    public static long? Current
    {
        get
        {
            if (!OperatingSystem.IsLinux() && !OperatingSystem.IsMacOS()) return null;
            var openFiles = OperatingSystem.IsLinux() ? 7 : 8;
            return GetLimit(openFiles, out var limit) == 0 && limit.Soft <= int.MaxValue ? (long)limit.Soft : null;
        }
    }

    /// <summary>The options with no more connections than fit.</summary>
    /// <param name="options">What was asked for.</param>
    /// <param name="limit">How many files may be open; null = any number.</param>
    /// <exception cref="OptionException">Too few fit.</exception>
    public static ConnectionOptions Fit(ConnectionOptions options, long? limit)
    {
        if (limit is not { } most || most - Reserved >= options.MaxConnections) return options;
        return most - Reserved >= FewestConnections ? options with { MaxConnections = (int)(most - Reserved) }
            : throw new OptionException(
                $"This process may have {most} files open; it needs at least {Reserved + FewestConnections} (ulimit -n).");
    }

    /// <summary>POSIX's getrlimit; numbers are of the size that both systems have on 64-bit machines.</summary>
    [DllImport("libc", EntryPoint = "getrlimit")]
    private static extern int GetLimit(int resource, out ResourceLimit limit);

    [StructLayout(LayoutKind.Sequential)]
    private struct ResourceLimit
    {
        public ulong Soft;
        public ulong Hard;
    }
}
