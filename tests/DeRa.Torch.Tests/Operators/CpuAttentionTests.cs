using DeRa.Torch.Kernels;
using DeRa.Torch.Native;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>The kernel against libtorch's operators in float64, and against itself in other steps, widths and threads.</summary>
public sealed class CpuAttentionTests
{
    public CpuAttentionTests() => LibTorch.Load();

    public static TheoryData<ScalarType> Types { get; } = [ScalarType.Float32, ScalarType.BFloat16, ScalarType.Float16];

    [Theory, MemberData(nameof(Types))]
    public void Results_are_those_of_libtorch_in_float64_within_their_rounding_at_any_shape_and_width(ScalarType type)
    {
        var random = new Random(17);
        for (var trial = 0; trial < 60; trial++)
        {
            using var scope = NewDisposeScope();
            var own = new AttentionCase(RandomShape(random) with { Type = type }, seed: trial);
            var actual = own.Run<Lanes256>();
            // Scores of some units, and weighted means of values of a few: by far the largest error is the scores' rounding.
            Assert.All(own.Expected().Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 2e-5));
            Assert.Equal(actual, own.Run<Lanes128>());
            Assert.Equal(actual, own.Run<Lanes512>());
        }
    }

    // Contexts of several splits, with queries that share keys and without; blocks that vectors fit into and that they do not.
    [Theory]
    [InlineData(ScalarType.Float32, 16, 12, 4, null), InlineData(ScalarType.Float32, 48, 3, 3, 300)]
    [InlineData(ScalarType.BFloat16, 16, 12, 4, 100), InlineData(ScalarType.BFloat16, 5, 4, 4, null)]
    [InlineData(ScalarType.Float16, 32, 16, 2, null), InlineData(ScalarType.Float16, 16, 5, 1, 700)]
    public void A_tokens_bits_do_not_depend_on_the_step_or_the_threads(
        ScalarType type, int blockTokens, int heads, int keyValueHeads, int? window)
    {
        using var scope = NewDisposeScope();
        (int Tokens, int Position)[] rows = [(700, 0), (1, 1030), (90, 500), (3, 255), (60, 230)];
        var own = new AttentionCase(
            new AttentionShape(heads, keyValueHeads, 24, blockTokens) { Type = type, Window = window, Rows = rows }, seed: 3);
        var before = CpuPool.Shared.Threads;
        try
        {
            CpuPool.Shared.Threads = 1;
            var expected = own.Run<Lanes256>();
            // Few units for the threads, so that splits are divided among them, and many.
            foreach (var threads in new[] { 1, 2, 3, 64 })
            {
                CpuPool.Shared.Threads = threads;
                Assert.Equal(expected, own.Run<Lanes256>());
                Assert.Equal(expected, own.Run<Lanes512>());
                AssertAlone(own, expected, rows, heads * 24);
            }
        }
        finally
        {
            CpuPool.Shared.Threads = before;
        }
    }

    [Theory, MemberData(nameof(Types))]
    public void What_a_token_may_not_see_does_not_enter(ScalarType type)
    {
        using var scope = NewDisposeScope();
        const int Heads = 6, Dimension = 20;
        var shape = new AttentionShape(Heads, 2, Dimension, BlockTokens: 16) { Type = type, Window = 70, Rows = [(30, 240), (1, 300)] };
        var own = new AttentionCase(shape, seed: 5);
        var expected = own.Run<Lanes256>();
        // Within the first row's last tile of queries, and before and after the other row's context.
        foreach (var slot in new[] { own.Slot(0, 262), own.Slot(1, 230), own.Slot(1, 301) })
        {
            var (block, offset) = Math.DivRem(slot, 16);
            own.Cache.Keys[block].select(2, offset).fill_(double.NaN);
            own.Cache.Values[block].select(1, offset).fill_(double.NaN);
        }
        var actual = own.Run<Lanes256>();
        var width = Heads * Dimension;
        Assert.Equal(expected[..(22 * width)], actual[..(22 * width)]);
        Assert.All(actual[(22 * width)..(30 * width)], number => Assert.True(float.IsNaN(number)));
        Assert.Equal(expected[(30 * width)..], actual[(30 * width)..]);
    }

    [Fact]
    public void A_call_allocates_as_much_for_many_long_rows_as_for_a_short_one()
    {
        using var scope = NewDisposeScope();
        var shape = new AttentionShape(8, 2, 64, BlockTokens: 16);
        var one = new AttentionCase(shape with { Rows = [(1, 3)] }, seed: 1).Allocated();
        var many = new AttentionCase(shape with { Rows = [(300, 900), .. Enumerable.Repeat((1, 2000), 20)] }, seed: 2).Allocated();
        Assert.InRange(many, 1, one + 64);
    }

    /// <summary>Each row alone, cut in several ways, and its tokens beside others.</summary>
    private static void AssertAlone(AttentionCase own, float[] expected, (int Tokens, int Position)[] rows, int width)
    {
        var first = 0;
        for (var row = 0; row < rows.Length; row++)
        {
            foreach (var chunk in new[] { 1, 7, 50, 333 })
                for (var token = 0; token < rows[row].Tokens; token += chunk * (chunk < 8 ? 13 : 1))
                {
                    var count = Math.Min(chunk, rows[row].Tokens - token);
                    var wanted = expected[((first + token) * width)..((first + token + count) * width)];
                    Assert.Equal(wanted, own.Run<Lanes256>((row, token, count)));
                    if (row == 1) continue;
                    Assert.Equal(wanted, own.Run<Lanes128>((1, 0, 1), (row, token, count))[width..]);
                }
            first += rows[row].Tokens;
        }
    }

    private static AttentionShape RandomShape(Random random)
    {
        var keyValueHeads = random.Next(1, 4);
        int[] dimensions = [1, 5, 8, 12, 16, 20, 31, 32, 64, 72, 80, 100, 128], blocks = [1, 3, 4, 8, 16, 16, 32, 48, 100];
        return new AttentionShape(keyValueHeads * random.Next(1, 10), keyValueHeads,
            dimensions[random.Next(dimensions.Length)], blocks[random.Next(blocks.Length)])
        {
            Window = random.Next(3) == 0 ? random.Next(1, 300) : null,
            Scale = random.Next(3) == 0 ? 0.3 : null,
            SoftCap = random.Next(3) == 0 ? 1.5 : null,
            Rows = [.. Enumerable.Range(0, random.Next(1, 4))
                .Select(_ => (random.Next(1, random.Next(3) == 0 ? 130 : 9), random.Next(600)))],
        };
    }
}
