using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>The functions of an element against the same in float64, at every place of a tensor whose length no vector divides.</summary>
public sealed class CpuActivationTests
{
    private static readonly float[] Inputs =
    [
        .. Enumerable.Range(-4000, 8001).Select(i => i * 0.025f), .. Enumerable.Range(-1000, 2001).Select(i => i * 1e-4f),
        0, -0f, 1e-30f, -1e-30f, 1e4f, -1e4f, 3e12f, -3e12f, float.NaN,
    ];

    public CpuActivationTests() => LibTorch.Load();

    [Fact]
    public void Silu() => Check(Activation.Silu, x => x / (1 + Math.Exp(-x)));

    [Fact]
    public void Quick_gelu() => Check(Activation.QuickGelu, x => x / (1 + Math.Exp(-1.702 * x)));

    [Fact]
    public void Gelu() => Check(Activation.Gelu, x => Math.Max(x, 0) - Math.Abs(x) * NormalTailTests.Exact(Math.Abs(x)));

    /// <summary>Small results too have their leading digits, and infinities their limits.</summary>
    [Fact]
    public void Gelu_is_right_to_a_few_units_in_the_last_place()
    {
        using var scope = NewDisposeScope();
        var inputs = Enumerable.Range(-9000, 13001).Select(i => i * 1e-3f).ToArray();
        var actual = CpuActivation.Apply(tensor(inputs).view(1, -1), Activation.Gelu, isGated: false).data<float>().ToArray();
        Assert.All(inputs.Zip(actual), pair =>
        {
            var exact = Math.Max(pair.First, 0) - Math.Abs(pair.First) * NormalTailTests.Exact(Math.Abs(pair.First));
            Assert.True(Math.Abs(pair.Second - exact) <= 1e-6 * Math.Abs(exact), $"{pair.First}: {exact} and not {pair.Second}");
        });
        var ends = tensor([float.PositiveInfinity, float.NegativeInfinity, float.MaxValue, float.MinValue, 14, -14]).view(1, -1);
        Assert.Equal([float.PositiveInfinity, 0, float.MaxValue, 0, 14, 0],
            CpuActivation.Apply(ends, Activation.Gelu, isGated: false).data<float>().ToArray());
    }

    [Fact]
    public void Gelu_by_tanh() => Check(Activation.GeluTanh,
        x => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));

    [Theory]
    [InlineData(0.7), InlineData(30), InlineData(50)]
    public void Soft_cap(double cap) =>
        Check(values => CpuActivation.SoftCapInPlace(values, cap), x => cap * Math.Tanh(x / cap), 2e-7 * cap);

    /// <summary>As many rows as all threads take, of a width that no vector divides, against each row by itself.</summary>
    [Theory]
    [InlineData(Activation.Silu, false), InlineData(Activation.Silu, true)]
    [InlineData(Activation.Gelu, false), InlineData(Activation.Gelu, true)]
    public void Rows_are_the_same_alone_and_among_many(Activation activation, bool isGated)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(5, CPU);
        var input = randn([700, 2 * 301], ScalarType.Float32, generator: random);
        var all = CpuActivation.Apply(input, activation, isGated).data<float>().ToArray();
        var alone = Enumerable.Range(0, 700).SelectMany(row =>
            CpuActivation.Apply(input.narrow(0, row, 1).clone(), activation, isGated).data<float>().ToArray());
        Assert.Equal(alone, all);
    }

    private static void Check(Activation activation, Func<double, double> expected) =>
        Check(values => CpuActivation.Apply(values, activation, isGated: false), expected);

    private static void Check(Func<Tensor, Tensor> function, Func<double, double> expected, double tolerance = 1e-7)
    {
        using var scope = NewDisposeScope();
        Assert.NotEqual(0, Inputs.Length % 8);
        var actual = function(tensor(Inputs).view(1, -1)).data<float>().ToArray();
        for (var i = 0; i < Inputs.Length; i++)
        {
            var exact = expected(Inputs[i]);
            if (double.IsNaN(exact)) Assert.True(float.IsNaN(actual[i]));
            else Assert.True(Math.Abs(exact - actual[i]) <= tolerance + 1e-6
                * Math.Abs(exact), $"{Inputs[i]}: {exact} and not {actual[i]}");
        }
    }
}
