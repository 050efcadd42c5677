using DeRa.Torch.Kernels;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Kernels;

/// <summary>Products with packed matrices, against sums in float64, against libtorch, and against themselves in other tiles.</summary>
public sealed class MatrixProductTests
{
    private static readonly int[] Sizes = [1, 7, 31, 32, 33, 63, 65, 130, 257, 1000, 1030];

    public static TheoryData<string> Formats { get; } = new(Enum.GetNames<WeightFormat>());

    [Theory, MemberData(nameof(Formats))]
    public void Sums_are_those_in_float64_within_their_rounding_at_any_shape_and_width(string format)
    {
        var random = new Random(1);
        for (var trial = 0; trial < 40; trial++)
        {
            var (outputs, inputs, rows) = (Sizes[random.Next(Sizes.Length)], Sizes[random.Next(Sizes.Length)], random.Next(1, 71));
            using var own = new PackedCase(outputs, inputs, Enum.Parse<WeightFormat>(format), rows, seed: trial);
            var results = own.Run<Lanes256>(0, rows, hasBias: trial % 2 == 0);
            // Each row with each output would take minutes: a hundred of them.
            for (var sample = 0; sample < 100; sample++)
            {
                var (row, output) = (random.Next(rows), random.Next(outputs));
                var (sum, largest) = (trial % 2 == 0 ? own.Bias[output] : 0.0, 1.0);
                for (var i = 0; i < inputs; i++)
                {
                    var term = (double)own.Input[row * inputs + i] * own.Weights[output * inputs + i];
                    (sum, largest) = (sum + term, largest + Math.Abs(term));
                }
                Assert.Equal(sum, results[row * outputs + output], largest * inputs * Math.ScaleB(1, -24));
            }
            Assert.Equal(results, own.Run<Lanes128>(0, rows, hasBias: trial % 2 == 0));
            Assert.Equal(results, own.Run<Lanes512>(0, rows, hasBias: trial % 2 == 0));
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void A_rows_bits_do_not_depend_on_the_rows_beside_it(string format)
    {
        foreach (var (outputs, inputs) in new[] { (96, 300), (70, 1100), (33, 5) })
        {
            // More than an item's rows, so that rows are cut into several.
            using var own = new PackedCase(outputs, inputs, Enum.Parse<WeightFormat>(format), rows: 391, seed: inputs);
            var all = own.Run<Lanes256>(0, 391);
            foreach (var count in new[] { 1, 2, 3, 4, 5, 6, 7, 11, 47, 48, 53, 385 })
                foreach (var first in new[] { 0, 391 - count })
                {
                    var expected = all.AsSpan(first * outputs, count * outputs).ToArray();
                    Assert.Equal(expected, own.Run<Lanes128>(first, count));
                    Assert.Equal(expected, own.Run<Lanes256>(first, count));
                    Assert.Equal(expected, own.Run<Lanes512>(first, count));
                }
        }
    }

    [Theory, MemberData(nameof(Formats))]
    public void A_sum_is_one_chain_of_fused_additions_with_inputs_ascending(string format)
    {
        using var own = new PackedCase(outputs: 40, inputs: 1200, Enum.Parse<WeightFormat>(format), rows: 50, seed: 3);
        foreach (var rows in new[] { 1, 50 })
        {
            var results = own.Run<Lanes512>(0, rows);
            for (var row = 0; row < rows; row++)
                for (var output = 0; output < 40; output++)
                {
                    var sum = own.Bias[output];
                    for (var i = 0; i < 1200; i++)
                        sum = MathF.FusedMultiplyAdd(own.Input[row * 1200 + i], own.Weights[output * 1200 + i], sum);
                    Assert.Equal(sum, results[row * 40 + output]);
                }
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32), InlineData(ScalarType.BFloat16), InlineData(ScalarType.Float16)]
    public void A_packed_weight_has_libtorchs_products_and_gives_its_rows_back(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var generator = new Generator(5, CPU);
        foreach (var (outputs, inputs) in new[] { (300, 48), (33, 257), (1, 1), (65, 1000) })
        {
            var weight = randn([outputs, inputs], generator: generator).to(type);
            var bias = randn([outputs], generator: generator);
            using var packed = PackedWeight.Of(weight);
            var wide = weight.to(ScalarType.Float32);
            Assert.Equal(wide.data<float>().ToArray(), packed.Rows(arange(outputs, dtype: ScalarType.Int64)).data<float>().ToArray());
            foreach (var rows in new[] { 1, 4, 70 })
            {
                // A view: what a product gets need not be contiguous.
                var input = randn([inputs, rows], generator: generator).t();
                var expected = nn.functional.linear(input, wide, bias);
                Assert.InRange((packed.Product(input, bias) - expected).abs().max().item<float>(), 0, 1e-5f * inputs);
            }
        }
    }

    [Fact]
    public void Float16_weights_that_the_format_cannot_hold_are_kept_wider()
    {
        using var scope = NewDisposeScope();
        foreach (var odd in new[] { 64, -65504, float.NaN, float.PositiveInfinity })
        {
            var weight = tensor(new[] { 1, odd, 5.9604645e-8f, -0.5f }, [2, 2]).to(ScalarType.Float16);
            using var packed = PackedWeight.Of(weight);
            Assert.Equal([1, odd, 5.9604645e-8f, -0.5f], packed.Rows(tensor(new[] { 0L, 1 })).data<float>().ToArray());
        }
    }

    [Fact]
    public void Rows_that_the_matrix_does_not_have_are_refused()
    {
        using var scope = NewDisposeScope();
        using var packed = PackedWeight.Of(ones(3, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => packed.Rows(tensor(new[] { 3L })));
        Assert.Throws<ArgumentOutOfRangeException>(() => packed.Rows(tensor(new[] { -1L })));
    }
}
