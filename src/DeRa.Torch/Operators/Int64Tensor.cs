using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>Tensors of indices, made without an array.</summary>
internal static class Int64Tensor
{
    /// <summary>int64 [values], on a device, owned by the caller's scope.</summary>
    public static Tensor Of(ReadOnlySpan<long> values, Device device)
    {
        var host = empty([values.Length], ScalarType.Int64);
        values.CopyTo(MemoryMarshal.Cast<byte, long>(host.bytes));
        return host.to(device);
    }

    /// <inheritdoc cref="Of(ReadOnlySpan{long}, Device)"/>
    public static Tensor Of(ReadOnlySpan<int> values, Device device)
    {
        var host = empty([values.Length], ScalarType.Int64);
        var to = MemoryMarshal.Cast<byte, long>(host.bytes);
        for (var i = 0; i < values.Length; i++) to[i] = values[i];
        return host.to(device);
    }
}
