using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>How much memory is free.</summary>
internal static class DeviceMemory
{
    /// <summary>Bytes that can be allocated on a device now, or null where nobody can say.</summary>
    public static long? AvailableBytes(Device device) =>
        device.type == DeviceType.CUDA ? CudaMemory.FreeBytes(device.index) : HostMemory.AvailableBytes();
}
