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
    private const int Tokens = 5, Heads = 3, KeyValueHeads = 2;

    public CpuRotaryTests() => LibTorch.Load();

    // All dimensions, more than a vector of them, some, and none.
    [Theory]
    [InlineData(5, false, 10), InlineData(5, true, 10), InlineData(3, false, 10), InlineData(3, true, 10), InlineData(null, false, 10)]
    [InlineData(null, true, 10), InlineData(11, false, 24)]
    public void Queries_keys_and_values_are_those_of_libtorchs_operators(int? pairs, bool hasNorm, int dimension)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        var vectors = Random(Tokens, Heads + 2 * KeyValueHeads, dimension);
        var norm = hasNorm ? Random(Heads + KeyValueHeads, dimension) : null;
        var angles = pairs is { } count ? new RotaryAngles(Random(Tokens, 1, count), Random(Tokens, 1, count)) : null;
        var slots = tensor(new long[] { 6, 0, 3, 7, 2 });
        var expected = Run(ScalarType.Float64, vectors, slots);
        foreach (var (wanted, actual) in expected.Zip(Run(ScalarType.Float32, vectors, slots))) Assert.Equal(wanted, actual);
        foreach (var type in new[] { ScalarType.BFloat16, ScalarType.Float16 })
        {
            var narrow = Run(type, vectors, slots);
            Assert.Equal(expected[0], narrow[0]);
            for (var pool = 1; pool < 3; pool++) Assert.Equal(Numbers(tensor(expected[pool]).to(type)), narrow[pool]);
        }
        // The last two as padding: the others' results are the same, and nothing of the two is written.
        var padded = Run(ScalarType.Float32, vectors, slots.narrow(0, 0, 3));
        Assert.Equal(expected[0].Take(3 * Heads * dimension), padded[0].Take(3 * Heads * dimension));
        foreach (var pool in padded[1..])
            Assert.All(new[] { 7, 2 }, slot => Assert.All(Slot(pool, slot, dimension), element => Assert.Equal(0, element)));

        Tensor Random(params long[] shape) => randn(shape, ScalarType.Float32, generator: random);

        float[][] Run(ScalarType type, Tensor input, Tensor written)
        {
            if (type == ScalarType.Float64)
            {
                var plain = LayerCache.ForOperators(8, KeyValueHeads, dimension, CPU, type);
                return [Numbers(RotaryCacheWrite.Apply(input.to(type), norm, epsilon: 1e-5, angles, written, plain)),
                    Numbers(plain.Keys), Numbers(plain.Values)];
            }
            var cache = LayerCache.ForKernels(4, KeyValueHeads, dimension, blockTokens: 2, type);
            var queries = RotaryCacheWrite.Apply(input, norm, epsilon: 1e-5, angles, written, cache);
            return [Numbers(queries), Numbers(BlockedCache.Keys(cache)), Numbers(BlockedCache.Values(cache))];
        }
    }

    private static float[] Numbers(Tensor tensor) => tensor.contiguous().to(ScalarType.Float32).data<float>().ToArray();

    private static float[] Slot(float[] pool, int slot, int dimension) =>
        pool[(slot * KeyValueHeads * dimension)..((slot + 1) * KeyValueHeads * dimension)];
}
