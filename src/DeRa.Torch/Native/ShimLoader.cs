using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace DeRa.Torch.Native;

/// <summary>
/// Loads TorchSharp's shim. It requires libstdc++ of GCC 13 (<see cref="NewestVersion"/>), which Debian 12 and Ubuntu 22.04 lack,
/// although none of its symbols is bound to that version; where loading fails for that reason, a copy is loaded in which the
/// requirement is weak. The copy is in anonymous memory, so that it works on read-only machines and parallel starts share nothing;
/// where the kernel denies that, in a private temporary file that is deleted once it is loaded.
/// </summary>
internal static partial class ShimLoader
{
    public const string NewestVersion = "GLIBCXX_3.4.32";

    private const uint CloseOnExec = 1;

    /// <summary>Loads the shim; libtorch must be loaded already.</summary>
    /// <exception cref="LibTorchException">Neither the shim nor a copy of it could be loaded.</exception>
    public static nint Load(string path)
    {
        if (NativeFile.TryLoad(path, out var handle, out var error)) return handle;
        if (!OperatingSystem.IsLinux() || !error.Contains(NewestVersion, StringComparison.Ordinal)) throw Failure(path, error);
        return LoadCopy(path);
    }

    private static nint LoadCopy(string path)
    {
        var image = File.ReadAllBytes(path);
        MarkWeak(path, image);
        if (TryLoadFromMemory(image, out var handle, out var memoryError)) return handle;
        if (TryLoadFromTemporaryFile(image, out handle, out var fileError)) return handle;
        throw Failure(path, $"this system's libstdc++ lacks {NewestVersion}, and a copy that does not need it could be loaded "
            + $"neither from memory ({memoryError}) nor from {Path.GetTempPath()} ({fileError})");
    }

    private static void MarkWeak(string path, byte[] image)
    {
        try
        {
            ElfVersionNeeds.MarkWeak(image, NewestVersion);
        }
        catch (InvalidDataException exception)
        {
            throw Failure(path, $"this system's libstdc++ lacks {NewestVersion}, and the shim needs it: {exception.Message}");
        }
    }

    internal static bool TryLoadFromMemory(byte[] image, out nint handle, [NotNullWhen(false)] out string? error)
    {
        handle = 0;
        using var file = new SafeFileHandle(CreateMemoryFile("libLibTorchSharp.so", CloseOnExec), ownsHandle: true);
        error = $"memfd_create: {Marshal.GetLastPInvokeErrorMessage()}";
        if (file.IsInvalid) return false;
        RandomAccess.Write(file, image, 0);
        return NativeFile.TryLoad($"/proc/self/fd/{file.DangerousGetHandle()}", out handle, out error);
    }

    internal static bool TryLoadFromTemporaryFile(byte[] image, out nint handle, [NotNullWhen(false)] out string? error)
    {
        handle = 0;
        DirectoryInfo? folder = null;
        try
        {
            folder = Directory.CreateTempSubdirectory("dera-");
            var path = Path.Combine(folder.FullName, "libLibTorchSharp.so");
            File.WriteAllBytes(path, image);
            return NativeFile.TryLoad(path, out handle, out error);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            error = exception.Message;
            return false;
        }
        finally
        {
            folder?.Delete(recursive: true);
        }
    }

    private static LibTorchException Failure(string path, string reason) => new(
        $"TorchSharp's native library {path} could not be loaded: {reason}. It needs libtorch 2.10 and, on Linux, glibc 2.34 "
        + "and libstdc++ of GCC 12 or newer (Debian 12, Ubuntu 22.04): install libstdc++6, or point --libtorch at the "
        + "torch/lib folder of PyTorch 2.10.");

    [LibraryImport("libc.so.6", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint CreateMemoryFile(string name, uint flags);
}
