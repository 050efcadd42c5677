using System.Runtime.InteropServices;

namespace DeRa.Torch.Kernels;

/// <summary>
/// Memory in large pages, where Linux gives some: weights are read from one end to the other for every token, and a processor loses its
/// way at the end of each small page. A request, not a condition: without them all works, more slowly.
/// </summary>
internal static unsafe partial class HugePages
{
    /// <summary>Bytes of a large page.</summary>
    public const int PageBytes = 2 << 20;

    private const int Advice = 14; // MADV_HUGEPAGE

    /// <summary>Asks for large pages for memory that begins at a multiple of <see cref="PageBytes"/> and has not been written.</summary>
    public static void Ask(void* memory, nuint bytes)
    {
        if (OperatingSystem.IsLinux()) _ = Advise(memory, bytes, Advice);
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* memory, nuint bytes, int advice);
}
