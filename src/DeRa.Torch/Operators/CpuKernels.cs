using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace DeRa.Torch.Operators;

/// <summary>
/// What float32 on the CPU computes without libtorch, or by its rules: so that each number is the same to the last bit whatever else
/// is in the step and however it is cut into chunks. libtorch's own operators promise that nowhere: matrix products of few rows add
/// up in another order than those of many, attention by the longest context, and a function of each element is rounded otherwise at
/// the end of a thread's part than in its middle.
/// </summary>
internal static class CpuKernels
{
    /// <summary>
    /// The fewest rows that a matrix product gets. With <c>MKL_CBWR=AVX2,STRICT</c> (<see cref="Native.LibTorch"/> sets it), a row's result
    /// is the same in any product of four rows or more; below that other code runs.
    /// </summary>
    public const int MinProductRows = 4;

    /// <summary>Whether the tensor is one of those.</summary>
    public static bool Supports(Tensor tensor) => Supports(tensor.device, tensor.dtype);

    /// <inheritdoc cref="Supports(Tensor)"/>
    public static bool Supports(Device device, ScalarType type) => device.type == DeviceType.CPU && type == ScalarType.Float32;

    /// <summary>The elements of a contiguous float32 tensor on the CPU, as long as it is not disposed.</summary>
    public static Span<float> Elements(Tensor tensor) => MemoryMarshal.Cast<byte, float>(tensor.bytes);
}
