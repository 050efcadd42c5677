using System.Runtime.InteropServices;

namespace DeRa.Torch.Native;

/// <summary>A setting of libtorch's fused attention on CUDA devices that TorchSharp lacks.</summary>
internal static unsafe class CudnnAttention
{
    /// <summary>
    /// Keeps attention away from cuDNN, which PyTorch prefers on Hopper and data-centre Blackwell: it builds a plan for every new shape,
    /// some 45 ms each, and contexts grow with every token. PyTorch's own kernels have no plans. Nothing happens where libtorch does not
    /// export the functions by these names (Windows, whose compilers name them otherwise); harmless without CUDA.
    /// </summary>
    /// <param name="library">Handle of libtorch's main library.</param>
    public static void TurnOff(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out var globalContext)
            || !NativeLibrary.TryGetExport(library, "_ZN2at7Context14setSDPUseCuDNNEb", out var setUse)) return;
        var context = ((delegate* unmanaged<nint>)globalContext)();
        ((delegate* unmanaged<nint, byte, void>)setUse)(context, 0);
    }
}
