using static TorchSharp.torch;

namespace DeRa.Torch.Caching;

/// <summary>Where a model's cache lies, and how.</summary>
/// <param name="Device">The model's.</param>
/// <param name="Type">Element type of keys and values.</param>
/// <param name="IsForKernels">Whether our own kernels read it, on a CPU; else libtorch's operators.</param>
internal readonly record struct CachePlace(Device Device, ScalarType Type, bool IsForKernels);
