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
        var mixed = new BlockAttention(scale, cap).Apply(query, Cache(), step.PlanFor(Window));
        var token = 0;
        foreach (var row in rows)
            for (var i = 0; i < row.Tokens; i++, token++)
                AssertEqual(row, row.Row.Position + i, query[token], keys, values, (scale ?? 1 / Math.Sqrt(Dimension), cap), mixed[token]);

        LayerCache Cache() => type == ScalarType.Float32
            ? BlockedCache.Of(keys, values, blockTokens: 4, type) : new LayerCache(keys, values);

        Tensor Random(long rows, long heads) => randn([rows, heads, Dimension], type, generator: random);
    }

    // Decode rows of equal and of unequal lengths, alone and beside a chunk; contexts below, at and over the window.
    [Theory]
    [InlineData(null, null, "1:2 1:6"), InlineData(null, null, "2:5 2:5"), InlineData(null, null, "3:0 1:9 5:4 2:1 7:3 4:8")]
    [InlineData(0.3, null, "2:5 2:9"), InlineData(0.9, 1.5, "3:0 1:9 5:4 2:1 7:3 4:8")]
    public void Rows_of_few_tokens_are_attended_together_as_if_each_were_alone(double? scale, double? cap, string shape)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(11, CPU);
        var rows = shape.Split(' ').Select(Parse).ToArray();
        var (keys, values) = (Random(4 * 4 * rows.Length, KeyValueHeads), Random(4 * 4 * rows.Length, KeyValueHeads));
        var plan = new ModelStep(rows, [Window], blockTokens: 4, CPU, ScalarType.Float64).PlanFor(Window);
        var placed = rows.OrderBy(row => row.Tokens > StepLayout.MaxDecodeTokens).ToArray();
        var query = Random(rows.Sum(row => row.Tokens), Heads);
        var mixed = new BlockAttention(scale, cap).Apply(query, new LayerCache(keys, values), plan);
        Assert.Equal(rows.Count(row => row.Tokens > StepLayout.MaxDecodeTokens), plan.Chunks.Count);
        var token = 0;
        foreach (var row in placed)
            for (var i = 0; i < row.Tokens; i++, token++)
                AssertEqual(row, row.Row.Position + i, query[token], keys, values, (scale ?? 1 / Math.Sqrt(Dimension), cap), mixed[token]);

        Tensor Random(long count, long heads) => randn([count, heads, Dimension], ScalarType.Float64, generator: random);
    }

    [Theory, InlineData(ScalarType.BFloat16), InlineData(ScalarType.Float16)]
    public void A_neighbour_s_tokens_and_faults_do_not_enter(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(13, CPU);
        ModelRow[] rows = [Row(2, 5, [0, 1]), Row(5, 6, [2, 3, 4])];
        var (keys, values) = (Random(20, KeyValueHeads), Random(20, KeyValueHeads));
        var query = Random(7, Heads);
        var expected = Apply(rows[..1], query.narrow(0, 0, 2));
        keys.narrow(0, 8, 12).fill_(double.NaN);
        values.narrow(0, 8, 12).fill_(double.NaN);
        var actual = Apply(rows, query);
        Assert.All(Numbers(expected).Zip(Numbers(actual.narrow(0, 0, 2))), pair => Assert.Equal(pair.First, pair.Second, 1e-2));
        Assert.All(Numbers(actual.narrow(0, 2, 5)), number => Assert.True(double.IsNaN(number)));

        Tensor Apply(ModelRow[] step, Tensor queries) => new BlockAttention().Apply(
            queries, new LayerCache(keys, values), new ModelStep(step, [null], blockTokens: 4, CPU, type).PlanFor(null));

        Tensor Random(long count, long heads) => randn([count, heads, Dimension], ScalarType.Float32, generator: random).to(type);
    }

    [Fact]
    public void The_width_of_masked_contexts_takes_few_values()
    {
        using var scope = NewDisposeScope();
        var widths = Enumerable.Range(1, 62).Select(position => Plan(Row(1, 0, [0]), Row(2, position, [.. Enumerable.Range(1, 16)])))
            .Select(decode => decode.Mask!.size(3)).Distinct();
        Assert.Equal([64], widths);
        var alone = Plan(Row(1, 6, [0, 1]), Row(1, 6, [2, 3])); // equally long: the fused kernels without a mask are faster
        Assert.Null(alone.Mask);
        Assert.Equal(14, alone.Slots.size(0));

        static DecodeContext Plan(params ModelRow[] rows) =>
            new ModelStep(rows, [null], blockTokens: 4, CPU, ScalarType.BFloat16).PlanFor(null).Decode!;
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

    /// <summary>"tokens:position", in blocks that no other row of the theory has.</summary>
    private static ModelRow Parse(string shape, int index)
    {
        var numbers = shape.Split(':').Select(int.Parse).ToArray();
        return Row(numbers[0], numbers[1], [4 * index + 3, 4 * index, 4 * index + 2, 4 * index + 1]);
    }

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
