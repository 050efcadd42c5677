using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Tensors on a device, from the host's memory: those of indices without an array between.</summary>
internal static class DeviceTensor
{
    /// <summary>int64 [values], on a device, owned by the caller's scope.</summary>
    public static Tensor Of(ReadOnlySpan<long> values, Device device)
    {
        var host = empty([values.Length], ScalarType.Int64);
        values.CopyTo(MemoryMarshal.Cast<byte, long>(host.bytes));
        return Upload(host, device);
    }

    /// <inheritdoc cref="Of(ReadOnlySpan{long}, Device)"/>
    public static Tensor Of(ReadOnlySpan<int> values, Device device)
    {
        var host = empty([values.Length], ScalarType.Int64);
        var to = MemoryMarshal.Cast<byte, long>(host.bytes);
        for (var i = 0; i < values.Length; i++) to[i] = values[i];
        return Upload(host, device);
    }

    /// <summary>
    /// Copies to a device without waiting for it, from pinned memory: a copy from other memory waits for all that the device has to do
    /// before it.
    /// </summary>
    public static Tensor Upload(Tensor host, Device device) =>
        device.type == DeviceType.CPU ? host : host.pin_memory().to(device, non_blocking: true);
}
