using DeRa.Engine;
using DeRa.Serving.Loading;
using DeRa.Serving.Requests;
using DeRa.Testing;
using DeRa.Torch.Execution;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace DeRa.Serving.Tests;

/// <summary>Pairs of real models that tests load.</summary>
internal static class LoadedPair
{
    /// <summary>The pair that comes with the server.</summary>
    public static Task<ServedPair> DefaultAsync(EngineOptions? engine = null) =>
        OfAsync(DefaultPairWeights.Folder("reference"), DefaultPairWeights.Folder("aligned"), engine);

    /// <summary>The pair of two model folders; the caller disposes of its engine.</summary>
    public static Task<ServedPair> OfAsync(string reference, string aligned, EngineOptions? engine = null) => ServedPairLoader.LoadAsync(
        new ServedPairOptions
        {
            Names = new ServedNames("pair", ["aligned"]),
            Models = new PairOptions { ReferencePath = reference, Aligned = [new("aligned", aligned)], CacheTokens = 8192 },
            Engine = engine ?? new EngineOptions(),
        }, null, NullLoggerFactory.Instance, TimeProvider.System, TestContext.Current.CancellationToken);
}
