using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>The root mean square norm in float32 on the CPU against the formula in float64.</summary>
public sealed class CpuNormTests
{
    public CpuNormTests() => LibTorch.Load();

    // Widths of whole vectors, with a rest, and of a rest only; weights for each row of a head, and the same for all.
    [Theory]
    [InlineData(16, 1), InlineData(21, 1), InlineData(5, 1), InlineData(12, 3)]
    public void Each_row_is_divided_by_its_root_mean_square_and_weighted(int width, int weightRows)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(3, CPU);
        var input = randn([2, 3, width], ScalarType.Float32, generator: random);
        var weight = randn([weightRows, width], ScalarType.Float32, generator: random);
        var actual = Norm.RootMeanSquare(input, weight, epsilon: 1e-3);
        Assert.Equal(input.shape, actual.shape);
        var (from, factors, to) = (Numbers(input), Numbers(weight), Numbers(actual));
        for (var i = 0; i < from.Length; i++)
        {
            var row = from.Skip(i / width * width).Take(width);
            var rootMeanSquare = Math.Sqrt(row.Sum(element => (double)element * element) / width + 1e-3);
            var expected = from[i] / rootMeanSquare * factors[i % factors.Length];
            Assert.InRange(to[i], expected - 1e-6 * Math.Abs(expected) - 1e-7, expected + 1e-6 * Math.Abs(expected) + 1e-7);
        }
    }

    [Fact]
    public void A_view_that_is_not_contiguous_gives_what_its_copy_gives()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(4, CPU);
        var view = randn([3, 4, 8], ScalarType.Float32, generator: random).narrow(1, 0, 3);
        var weight = ones([3, 8], ScalarType.Float32);
        Assert.Equal(Numbers(Norm.RootMeanSquare(view.contiguous(), weight, 1e-5)), Numbers(Norm.RootMeanSquare(view, weight, 1e-5)));
    }

    private static float[] Numbers(Tensor tensor) => tensor.data<float>().ToArray();
}
