using DeRa.Cli.Bench.Pairs;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Pairs;

/// <summary>A random pair that takes no time.</summary>
internal static class TinyPair
{
    public static RandomShape Shape { get; } = new()
    {
        Hidden = 64,
        Layers = 2,
        Heads = 4,
        KeyValueHeads = 2,
        Intermediate = 160,
        Vocabulary = 1200,
        ContextTokens = 64,
        Noise = .1,
    };

    public static RandomPair Create(RandomShape? shape = null, double noise = .1) =>
        new(shape ?? Shape, noise, TextWriter.Null, TestContext.Current.CancellationToken);
}
