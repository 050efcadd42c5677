using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;

namespace DeRa.Torch.Execution;

/// <summary>
/// What <c>--dtype auto</c> means on a CPU. 16-bit matrix products round each sum and block it by the number of rows, so that the same
/// request and seed give other tokens next to other requests; float32 is computed batch-invariantly
/// (<see cref="Operators.CpuKernels"/>). It is also faster on CPUs without bfloat16 instructions.
/// </summary>
internal static class AutoElementType
{
    /// <summary>Share of free memory that weights may take in float32; the rest is for caches and other programs.</summary>
    public const double HostShare = 0.6;

    /// <summary>The type for the models on the CPU: for auto float32 where all of them fit; else the requested one.</summary>
    /// <param name="requested">The option.</param>
    /// <param name="models">All models on the CPU.</param>
    /// <param name="availableBytes">Free memory.</param>
    public static DTypeOption OnHost(DTypeOption requested, IEnumerable<ModelConfig> models, long availableBytes) =>
        requested == DTypeOption.Auto && Float32Bytes(models) <= availableBytes * HostShare ? DTypeOption.Parse("float32") : requested;

    /// <summary>Bytes of their weights in float32.</summary>
    public static long Float32Bytes(IEnumerable<ModelConfig> models) =>
        models.Sum(model => DecoderTensors.CountElements(model, Architecture.LayoutOf(model))) * sizeof(float);
}
