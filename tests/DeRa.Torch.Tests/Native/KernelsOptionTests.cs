using DeRa.Torch.Native;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public sealed class KernelsOptionTests
{
    [Theory]
    [InlineData("auto", DeviceType.CPU, true), InlineData("auto", DeviceType.CUDA, false), InlineData(" CPU ", DeviceType.CPU, true)]
    [InlineData("torch", DeviceType.CPU, false), InlineData("Torch", DeviceType.CUDA, false)]
    public void Our_own_run_on_a_cpu_unless_libtorchs_are_asked_for(string text, DeviceType device, bool areOwn) =>
        Assert.Equal(areOwn, KernelsOption.Parse(text).AreOwn(new torch.Device(device, 0)));

    [Fact]
    public void Our_own_are_refused_on_a_gpu()
    {
        var error = Assert.Throws<LibTorchException>(() => KernelsOption.Parse("cpu").AreOwn(new torch.Device("cuda:1")));
        Assert.StartsWith("--kernels cpu: the device of a model is cuda:1", error.Message);
    }

    [Fact]
    public void Other_values_are_refused_by_name()
    {
        var error = Assert.Throws<FormatException>(() => KernelsOption.Parse("mkl"));
        Assert.Equal("--kernels: 'mkl' is no choice of kernels; allowed: auto, cpu, torch", error.Message);
        error = Assert.Throws<FormatException>(() => KernelsOption.Parse("auto", "cpu"));
        Assert.Equal("--prefill-kernel: 'cpu' is no choice of a kernel; allowed: auto, torch", error.Message);
    }
}
