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
    public void Gelu_by_tanh() => Check(Activation.GeluTanh,
        x => x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))));

    [Theory]
    [InlineData(0.7), InlineData(30), InlineData(50)]
    public void Soft_cap(double cap) =>
        Check(values => CpuActivation.SoftCapInPlace(values, cap), x => cap * Math.Tanh(x / cap), 2e-7 * cap);

    /// <summary>As many rows as all threads take, of a width that no vector divides, against each row by itself.</summary>
    [Theory, InlineData(false), InlineData(true)]
    public void Rows_are_the_same_alone_and_among_many(bool isGated)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(5, CPU);
        var input = randn([700, 2 * 301], ScalarType.Float32, generator: random);
        var all = CpuActivation.Apply(input, Activation.Silu, isGated).data<float>().ToArray();
        var alone = Enumerable.Range(0, 700).SelectMany(row =>
            CpuActivation.Apply(input.narrow(0, row, 1).clone(), Activation.Silu, isGated).data<float>().ToArray());
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
