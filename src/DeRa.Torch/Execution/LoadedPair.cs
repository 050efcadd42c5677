using DeRa.Torch.Configuration;
using TorchSharp;

namespace DeRa.Torch.Execution;

/// <summary>A pair that is ready to run, and its memory.</summary>
/// <param name="Executor">Runs steps; disposing it frees models and caches.</param>
/// <param name="Members">The reference model, then the aligned ones.</param>
/// <param name="ContextTokens">Most tokens a sequence may have.</param>
public sealed record LoadedPair(PairExecutor Executor, IReadOnlyList<LoadedMember> Members, int ContextTokens);

/// <summary>One model of a pair.</summary>
/// <param name="Name"><c>reference</c>, or the aligned model's name.</param>
/// <param name="Folder">Its folder.</param>
/// <param name="Config">Its configuration.</param>
/// <param name="Device">Its device, such as <c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="ElementType">Element type of its weight matrices.</param>
/// <param name="CacheType">Element type of its cache.</param>
/// <param name="WeightBytes">Memory of its own weights; 0 where it shares those of an earlier member.</param>
/// <param name="CacheBytes">Memory of its cache.</param>
public sealed record LoadedMember(
    string Name, string Folder, ModelConfig Config, string Device, torch.ScalarType ElementType, torch.ScalarType CacheType,
    long WeightBytes, long CacheBytes)
{
    /// <summary>The element type as configurations name it, such as <c>bfloat16</c>.</summary>
    public string DType => ElementType.ToString().ToLowerInvariant();
}
