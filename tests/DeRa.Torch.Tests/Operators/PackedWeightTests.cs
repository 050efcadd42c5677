using DeRa.Torch.Native;
using DeRa.Torch.Operators;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Operators;

/// <summary>Products of prompts by libtorch over packed weights (<c>--prefill-kernel torch</c>).</summary>
public sealed class PackedWeightTests
{
    public PackedWeightTests() => LibTorch.Load();

    // More panels than are widened at once, and a last one that is not full; few outputs; a float16 weight that is kept as float32.
    [Theory]
    [InlineData(ScalarType.BFloat16, 2100, 70, false), InlineData(ScalarType.Float32, 33, 300, true)]
    [InlineData(ScalarType.Float16, 2049, 65, true), InlineData(ScalarType.Float16, 5, 7, false)]
    public void A_prompt_is_multiplied_as_in_float64(ScalarType type, int outputs, int inputs, bool hasBias)
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(6, CPU);
        var stored = randn([outputs, inputs], ScalarType.Float32, generator: random).to(type);
        if (outputs == 5) stored.narrow(0, 0, 1).narrow(1, 0, 1).copy_(tensor(100f));
        var input = randn([PackedWeight.MinLibraryRows + 3, inputs], ScalarType.Float32, generator: random);
        var bias = hasBias ? randn([outputs], ScalarType.Float32, generator: random) : null;
        using var weight = PackedWeight.Of(stored, isPrefillByLibTorch: true);
        var expected = input.to(ScalarType.Float64).matmul(stored.to(ScalarType.Float64).t());
        if (bias is not null) expected += bias;
        var error = (weight.Product(input, bias) - expected).abs().max().item<double>();
        Assert.InRange(error, 1e-12, 1e-4);
    }

    [Fact]
    public void A_few_rows_are_still_multiplied_by_our_own_kernels()
    {
        using var scope = NewDisposeScope();
        using var random = new Generator(7, CPU);
        var stored = randn([100, 90], ScalarType.BFloat16, generator: random);
        var input = randn([PackedWeight.MinLibraryRows - 1, 90], ScalarType.Float32, generator: random);
        using var own = PackedWeight.Of(stored);
        using var byLibrary = PackedWeight.Of(stored, isPrefillByLibTorch: true);
        Assert.Equal(own.Product(input, bias: null).data<float>().ToArray(), byLibrary.Product(input, bias: null).data<float>().ToArray());
    }
}
