using DeRa.Torch.Native;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace DeRa.Torch.Tests.Native;

public sealed class CacheDTypeOptionTests
{
    [Theory]
    [InlineData("auto", DeviceType.CPU, ScalarType.Float32, ScalarType.Float32)]
    [InlineData("auto", DeviceType.CUDA, ScalarType.BFloat16, ScalarType.BFloat16)]
    [InlineData(" BFloat16 ", DeviceType.CPU, ScalarType.Float32, ScalarType.BFloat16)]
    [InlineData("float16", DeviceType.CPU, ScalarType.Float32, ScalarType.Float16)]
    [InlineData("float32", DeviceType.CUDA, ScalarType.Float32, ScalarType.Float32)]
    public void A_type_is_picked_and_auto_is_that_of_activations(string text, DeviceType device, ScalarType activations, ScalarType type) =>
        Assert.Equal(type, CacheDTypeOption.Parse(text).Resolve(new torch.Device(device, 0), activations));

    [Theory]
    [InlineData("bfloat16", DeviceType.CUDA, ScalarType.Float32, "--cache-dtype auto.")]
    [InlineData("float32", DeviceType.CPU, ScalarType.BFloat16, "--cache-dtype auto, or --kernels auto.")]
    public void A_type_that_libtorch_does_not_compute_in_is_refused(string text, DeviceType device, ScalarType activations, string advice)
    {
        var error = Assert.Throws<LibTorchException>(
            () => CacheDTypeOption.Parse(text).Resolve(new torch.Device(device, 0), activations));
        Assert.StartsWith($"--cache-dtype {text}: a model on {device.ToString().ToLowerInvariant()}", error.Message);
        Assert.EndsWith(advice, error.Message);
    }

    [Fact]
    public void Another_value_is_refused_by_the_option_s_name_and_its_allowed_values()
    {
        var error = Assert.Throws<FormatException>(() => CacheDTypeOption.Parse("int8"));
        Assert.Equal("--cache-dtype: 'int8' is not a type; allowed: auto, float32, bfloat16, float16", error.Message);
    }
}
