using DeRa.Torch.Configuration;
using TorchSharp;

namespace DeRa.Torch.Execution;

/// <summary>A pair that is ready to run, and what it takes.</summary>
/// <param name="Executor">Runs steps; disposing it frees models and caches.</param>
/// <param name="Members">The reference model, then the aligned ones.</param>
/// <param name="ContextTokens">Most tokens a sequence may have.</param>
public sealed record LoadedPair(PairExecutor Executor, IReadOnlyList<LoadedMember> Members, int ContextTokens);

/// <summary>One model of a pair.</summary>
/// <param name="Name"><c>reference</c>, or the aligned model's name.</param>
/// <param name="Folder">Where it comes from.</param>
/// <param name="Config">What it looks like.</param>
/// <param name="Device">Where it lies, such as <c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="ElementType">In which type it lies and computes.</param>
/// <param name="WeightBytes">Memory of its own weights; 0 where a member before it has loaded the same folder.</param>
/// <param name="CacheBytes">Memory of its cache.</param>
public sealed record LoadedMember(
    string Name, string Folder, ModelConfig Config, string Device, torch.ScalarType ElementType, long WeightBytes, long CacheBytes);
