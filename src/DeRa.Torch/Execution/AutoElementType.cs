using DeRa.Torch.Configuration;
using DeRa.Torch.Families;
using DeRa.Torch.Layouts;
using DeRa.Torch.Native;

namespace DeRa.Torch.Execution;

/// <summary>
/// What <c>--dtype auto</c> means on a CPU. A matrix product of 16-bit numbers rounds each sum, and blocks it by how many rows run
/// together: the same request then gives other tokens beside other requests, and a seed no longer names a text. In float32 what is
/// left of that is near 1e-6 of a logit. It is the faster type too where a CPU has no instructions for bfloat16.
/// </summary>
internal static class AutoElementType
{
    /// <summary>Share of free memory that weights may take in float32: the rest is for caches and for what else runs.</summary>
    public const double HostShare = 0.6;

    /// <summary>The type for the models on the CPU: float32 where it was requested for or where all of them fit, else what was requested for.</summary>
    /// <param name="requested">The option.</param>
    /// <param name="models">All models that are to lie in the machine's memory.</param>
    /// <param name="availableBytes">Free memory.</param>
    public static DTypeOption OnHost(DTypeOption requested, IEnumerable<ModelConfig> models, long availableBytes) =>
        requested == DTypeOption.Auto && Float32Bytes(models) <= availableBytes * HostShare ? DTypeOption.Parse("float32") : requested;

    /// <summary>What their weights take in float32.</summary>
    public static long Float32Bytes(IEnumerable<ModelConfig> models) =>
        models.Sum(model => DecoderTensors.CountElements(model, Architecture.LayoutOf(model))) * sizeof(float);
}
