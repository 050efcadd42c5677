using DeRa.Engine.Scheduling;
using DeRa.Torch.Caching;
using DeRa.Torch.Models;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>Attention with a scale or a cap of its own, against the same sums in float64.</summary>
public sealed class BlockAttentionTests
{
    private const int KeyValueHeads = 2, Heads = 4, Dimension = 6, Window = 5;

    public BlockAttentionTests() => LibTorch.Load();

    // In float32 by our own code, in float64 by libtorch's operators.
    [Theory]
    [InlineData(null, null, ScalarType.Float32), InlineData(0.3, null, ScalarType.Float32)]
    [InlineData(null, 0.7, ScalarType.Float32), InlineData(0.9, 1.5, ScalarType.Float32)]
    [InlineData(null, null, ScalarType.Float64), InlineData(0.3, null, ScalarType.Float64)]
    [InlineData(null, 0.7, ScalarType.Float64), InlineData(0.9, 1.5, ScalarType.Float64)]
    public void Scores_are_scaled_then_capped_then_masked(double? scale, double? cap, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(7, CPU);
        var (keys, values) = (Random(16, KeyValueHeads), Random(16, KeyValueHeads));
        // One token each at positions 2 and 6, and three tokens at positions 4 to 6 of another sequence.
        ModelRow[] rows = [Row(1, 2, [3]), Row(1, 6, [1, 0]), Row(3, 4, [2, 1])];
        var step = new ModelStep(rows, [Window], blockTokens: 4, CPU, type);
        var query = Random(5, Heads);
        var mixed = new BlockAttention(scale, cap).Apply(query, new LayerCache(keys, values), step.PlanFor(Window));
        var token = 0;
        foreach (var row in rows)
            for (var i = 0; i < row.Tokens; i++, token++)
                AssertEqual(row, row.Row.Position + i, query[token], keys, values, (scale ?? 1 / Math.Sqrt(Dimension), cap), mixed[token]);

        Tensor Random(long rows, long heads) => randn([rows, heads, Dimension], type, generator: random);
    }

    private static void AssertEqual(
        ModelRow row, int position, Tensor query, Tensor keys, Tensor values, (double Scale, double? Cap) scores, Tensor actual)
    {
        var slots = Enumerable.Range(0, position + 1).Where(seen => seen > position - Window)
            .Select(seen => row.Row.BlockTable[seen / 4] * 4L + seen % 4).ToArray();
        var expected = Enumerable.Range(0, Heads).SelectMany(head =>
        {
            var weights = slots.Select(slot => Math.Exp(Capped(Dot(query[head], keys[slot][head / 2]) * scores.Scale, scores.Cap)))
                .ToArray();
            return Enumerable.Range(0, Dimension).Select(d =>
                slots.Zip(weights, (slot, weight) => weight * values[slot][head / 2][d].to(ScalarType.Float64).item<double>())
                    .Sum() / weights.Sum());
        });
        Assert.All(expected.Zip(Numbers(actual)), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    private static double Capped(double score, double? cap) => cap is { } bound ? bound * Math.Tanh(score / bound) : score;

    private static double Dot(Tensor first, Tensor second) =>
        Numbers(first).Zip(Numbers(second), (a, b) => a * b).Sum();

    private static double[] Numbers(Tensor tensor) => tensor.to(ScalarType.Float64).data<double>().ToArray();

    private static ModelRow Row(int tokens, int position, int[] blocks) => new(new PassRow
    {
        Branch = 0,
        Model = 0,
        Tokens = new int[tokens],
        Position = position,
        BlockTable = blocks,
        OutputCount = tokens,
    });
}
