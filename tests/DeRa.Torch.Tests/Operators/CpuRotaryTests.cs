using DeRa.Torch.Caching;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>
/// The kernel against libtorch's operators: float64 tensors go through those, which rotate in float32 too, so that the results are the
/// same to the last bit.
/// </summary>
public sealed class CpuRotaryTests
{
    private const int Tokens = 5, Heads = 3, KeyValueHeads = 2, Dimension = 10;

    public CpuRotaryTests() => LibTorch.Load();

    // All dimensions, some of them, and none.
    [Theory]
    [InlineData(5, false), InlineData(5, true), InlineData(3, false), InlineData(3, true), InlineData(null, false), InlineData(null, true)]
    public void Queries_keys_and_values_are_those_of_libtorchs_operators(int? pairs, bool hasNorm)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        var vectors = Random(Tokens, Heads + 2 * KeyValueHeads, Dimension);
        var norm = hasNorm ? Random(Heads + KeyValueHeads, Dimension) : null;
        var angles = pairs is { } count ? new RotaryAngles(Random(Tokens, 1, count), Random(Tokens, 1, count)) : null;
        var slots = tensor(new long[] { 6, 0, 3, 7, 2 });
        var expected = Run(ScalarType.Float64, vectors, slots);
        foreach (var (wanted, actual) in expected.Zip(Run(ScalarType.Float32, vectors, slots))) Assert.Equal(wanted, actual);
        // The last two as padding: the others' results are the same, and nothing of the two is written.
        var padded = Run(ScalarType.Float32, vectors, slots.narrow(0, 0, 3));
        Assert.Equal(expected[0].Take(3 * Heads * Dimension), padded[0].Take(3 * Heads * Dimension));
        foreach (var pool in padded[1..])
            Assert.All(new[] { 7, 2 }, slot => Assert.All(Slot(pool, slot), element => Assert.Equal(0, element)));

        Tensor Random(params long[] shape) => randn(shape, ScalarType.Float32, generator: random);

        float[][] Run(ScalarType type, Tensor input, Tensor written)
        {
            var cache = new LayerCache(zeros(8, KeyValueHeads, Dimension, type), zeros(8, KeyValueHeads, Dimension, type));
            var queries = RotaryCacheWrite.Apply(input.to(type), norm, epsilon: 1e-5, angles, written, cache);
            return [Numbers(queries), Numbers(cache.Keys), Numbers(cache.Values)];
        }
    }

    private static float[] Numbers(Tensor tensor) => tensor.contiguous().to(ScalarType.Float32).data<float>().ToArray();

    private static float[] Slot(float[] pool, int slot) =>
        pool[(slot * KeyValueHeads * Dimension)..((slot + 1) * KeyValueHeads * Dimension)];
}
