using DeRa.Torch.Configuration;
using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

public sealed class FeedForwardActivationTests
{
    private static readonly double[] Inputs = [-3, -1, -0.1, 0, 0.5, 1, 2.5];

    public FeedForwardActivationTests() => LibTorch.Load();

    /// <summary>gelu from a table of Φ: Φ(1) = 0.841344746068543, Φ(0.5) = 0.691462461274013, Φ(2.5) = 0.993790334674224, …</summary>
    public static TheoryData<Activation, double[]> Functions { get; } = new()
    {
        { Activation.Silu, [.. Inputs.Select(x => x / (1 + Math.Exp(-x)))] },
        { Activation.QuickGelu, [.. Inputs.Select(x => x / (1 + Math.Exp(-1.702 * x)))] },
        { Activation.Relu, [.. Inputs.Select(x => Math.Max(x, 0))] },
        { Activation.GeluTanh, [.. Inputs.Select(x => 0.5 * x * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))))] },
        {
            Activation.Gelu,
            [-3 * 0.001349898031630, -0.158655253931457, -0.1 * 0.460172162722971, 0, 0.5 * 0.691462461274013, 0.841344746068543, 2.5
                * 0.993790334674224]
        },
    };

    [Theory, MemberData(nameof(Functions))]
    public void Each_function_equals_its_formula(Activation activation, double[] expected)
    {
        using var scope = NewDisposeScope();
        var plain = FeedForwardActivation.Apply(Input(), activation, isGated: false).data<float>().ToArray();
        Assert.All(expected.Zip(plain), pair => Assert.Equal(pair.First, pair.Second, 1e-6));
        var gated = FeedForwardActivation.Apply(cat([Input(), Input() + 1], 1), activation, isGated: true).data<float>().ToArray();
        Assert.All(Inputs.Zip(expected, gated), item => Assert.Equal((item.First + 1) * item.Second, item.Third, 1e-5));
    }

    private static Tensor Input() => tensor(Inputs, dtype: ScalarType.Float32).unsqueeze(0);
}
