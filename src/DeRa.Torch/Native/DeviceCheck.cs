using static TorchSharp.torch;

namespace DeRa.Torch.Native;

/// <summary>
/// A small computation with a known result. A libtorch of another version than the shim's may load and still misread its arguments;
/// this detects it before a model runs.
/// </summary>
internal static class DeviceCheck
{
    /// <exception cref="LibTorchException">The device fails or gives another result.</exception>
    public static void Run(Device device)
    {
        try
        {
            using var scope = NewDisposeScope();
            var left = Arithmetic.Range(0, 6, ScalarType.Float32, CPU).reshape(2, 3).to(device);
            var product = left.matmul(left.transpose(0, 1)).to(ScalarType.BFloat16).to(ScalarType.Float32);
            if (Fault(product, device) is { } fault) throw Failure(device, fault);
        }
        catch (Exception exception) when (exception is not LibTorchException)
        {
            throw Failure(device, exception.Message.ReplaceLineEndings(" "), exception);
        }
    }

    /// <summary>[0 1 2; 3 4 5] times its transpose is [5 14; 14 50], each exact in bfloat16.</summary>
    private static string? Fault(Tensor product, Device device)
    {
        if (!product.shape.AsSpan().SequenceEqual([2, 2]))
            return $"a product has shape [{string.Join(", ", product.shape)}] instead of [2, 2]";
        if (product.dtype != ScalarType.Float32) return $"a product has dtype {product.dtype} instead of Float32";
        if (product.device_type != device.type) return $"a product is on {product.device_type} instead of {device.type}";
        var values = product.cpu().data<float>().ToArray();
        return values.AsSpan().SequenceEqual([5, 14, 14, 50]) ? null
            : $"a product is [{string.Join(", ", values)}] instead of [5, 14, 14, 50]";
    }

    private static LibTorchException Failure(Device device, string fault, Exception? cause = null) => new(
        $"libtorch does not compute correctly on {device}: {fault}. It must be libtorch 2.10, for CUDA with a driver for its CUDA version: "
        + $"choose one with --libtorch or {LibTorchOptions.DirectoryVariable}, or use --device cpu.", cause);
}
