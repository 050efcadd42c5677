using System.Runtime.InteropServices;

namespace DeRa.Torch.Caching;

/// <summary>
/// Free memory of a CUDA device, from the driver: TorchSharp has no call for it, and the driver, unlike the runtime library, has
/// the same name in every version. Source: NVIDIA's CUDA driver API.
/// </summary>
internal static partial class CudaMemory
{
    private const string Driver = "libcuda.so.1";
    private const int Success = 0;

    /// <summary>Free bytes of a device, or null where the driver cannot be asked (as on Windows, where it has another name).</summary>
    /// <param name="deviceIndex">As libtorch counts.</param>
    public static long? FreeBytes(int deviceIndex)
    {
        try
        {
            if (Initialise(0) != Success || GetDevice(out var device, deviceIndex) != Success) return null;
            if (RetainPrimaryContext(out var context, device) != Success) return null;
            var free = PushContext(context) == Success ? FreeInCurrentContext() : null;
            _ = ReleasePrimaryContext(device);
            return free;
        }
        catch (Exception exception) when (exception is DllNotFoundException or EntryPointNotFoundException)
        {
            return null;
        }
    }

    private static long? FreeInCurrentContext()
    {
        var isKnown = GetMemoryInfo(out var free, out _) == Success;
        _ = PopContext(out _);
        return isKnown ? (long)free : null;
    }

    [LibraryImport(Driver, EntryPoint = "cuInit")]
    private static partial int Initialise(uint flags);

    [LibraryImport(Driver, EntryPoint = "cuDeviceGet")]
    private static partial int GetDevice(out int device, int ordinal);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRetain")]
    private static partial int RetainPrimaryContext(out nint context, int device);

    [LibraryImport(Driver, EntryPoint = "cuDevicePrimaryCtxRelease_v2")]
    private static partial int ReleasePrimaryContext(int device);

    [LibraryImport(Driver, EntryPoint = "cuCtxPushCurrent_v2")]
    private static partial int PushContext(nint context);

    [LibraryImport(Driver, EntryPoint = "cuCtxPopCurrent_v2")]
    private static partial int PopContext(out nint context);

    [LibraryImport(Driver, EntryPoint = "cuMemGetInfo_v2")]
    private static partial int GetMemoryInfo(out nuint free, out nuint total);
}
