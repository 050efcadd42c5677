using DeRa.Torch.Models;
using TorchSharp;

namespace DeRa.Torch.Execution;

/// <summary>A pair that is ready to run, and what it takes.</summary>
/// <param name="Executor">Runs steps; disposing it frees models and caches.</param>
/// <param name="Reference">The reference model.</param>
/// <param name="Aligned">The aligned model.</param>
/// <param name="ContextTokens">Most tokens a sequence may have.</param>
/// <param name="SharesWeights">One folder on one device: its weights are loaded once and serve as both models.</param>
public sealed record LoadedPair(
    PairExecutor Executor, LoadedModel Reference, LoadedModel Aligned, int ContextTokens, bool SharesWeights);

/// <summary>One model of a pair.</summary>
/// <param name="Config">What it looks like.</param>
/// <param name="Device">Where it lies, such as <c>cpu</c> or <c>cuda:0</c>.</param>
/// <param name="ElementType">In which type it lies and computes.</param>
/// <param name="WeightBytes">Memory of its weights.</param>
/// <param name="CacheBytes">Memory of its cache.</param>
public sealed record LoadedModel(ModelConfig Config, string Device, torch.ScalarType ElementType, long WeightBytes, long CacheBytes);
