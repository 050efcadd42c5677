using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>Loads one native library by its full path.</summary>
internal static class NativeFile
{
    /// <summary>Loads the library; on failure <paramref name="error"/> is the system's message (dlerror).</summary>
    public static bool TryLoad(string path, out nint handle, [NotNullWhen(false)] out string? error)
    {
        try
        {
            handle = NativeLibrary.Load(path);
            error = null;
            return true;
        }
        catch (Exception exception) when (exception is DllNotFoundException or BadImageFormatException)
        {
            handle = 0;
            error = SystemMessage(exception.Message);
            return false;
        }
    }

    /// <summary>The runtime puts general advice in the first line and the system's messages after it.</summary>
    private static string SystemMessage(string message)
    {
        var lines = message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return string.Join("; ", lines.Length > 1 ? lines.Skip(1).Distinct() : lines);
    }
}
