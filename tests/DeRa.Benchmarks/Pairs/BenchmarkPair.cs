using DeRa.Engine;
using DeRa.Serving;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Torch.Execution;
using Microsoft.Extensions.Logging.Abstractions;

namespace DeRa.Benchmarks.Pairs;

/// <summary>Loads pairs as the server does, with its defaults.</summary>
internal static class BenchmarkPair
{
    /// <summary>Loads a pair; disposing its engine frees it.</summary>
    /// <param name="folders">Where its models are.</param>
    /// <param name="engine">How much the engine does at once.</param>
    /// <param name="cancellation">Stops loading.</param>
    public static Task<ServedPair> LoadAsync(PairFolders folders, EngineOptions engine, CancellationToken cancellation) =>
        ServedPairLoader.LoadAsync(new ServedPairOptions
        {
            Names = new ServedNames("pair", [.. folders.Aligned.Select(model => model.Name)]),
            Models = new PairOptions { ReferencePath = folders.Reference, Aligned = folders.Aligned },
            Engine = engine,
        }, null, NullLoggerFactory.Instance, TimeProvider.System, cancellation);
}
