using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// Rules of our own kernels, which compute in float32 on the CPU: each result is the same to the last bit whatever else is in the step
/// and however prompts are split into chunks. libtorch's operators do not promise that: matrix products of few rows add up in another
/// order than those of many, attention depends on the longest context, and elementwise functions round differently at the end of a
/// thread's share than in its middle.
/// </summary>
internal static class CpuKernels
{
    /// <summary>Whether a tensor is float32 on the CPU.</summary>
    public static bool Supports(Tensor tensor) => Supports(tensor.device, tensor.dtype);

    /// <inheritdoc cref="Supports(Tensor)"/>
    public static bool Supports(Device device, ScalarType type) => device.type == DeviceType.CPU && type == ScalarType.Float32;

    /// <summary>The elements of a contiguous int64 tensor on the CPU, as long as it is not disposed.</summary>
    public static ReadOnlySpan<long> Indices(Tensor tensor) => MemoryMarshal.Cast<byte, long>(tensor.bytes);

    /// <summary>The elements of a contiguous float32 tensor on the CPU, as long as it is not disposed.</summary>
    public static Span<float> Elements(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
