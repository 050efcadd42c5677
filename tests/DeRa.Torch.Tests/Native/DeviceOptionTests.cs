using DeRa.Torch.Native;
using Xunit;

namespace DeRa.Torch.Tests.Native;

public sealed class DeviceOptionTests
{
    [Theory]
    [InlineData("auto", 0, "cpu", "cpu")]
    [InlineData("auto", 2, "cuda:0", "cuda:0")]
    [InlineData("CPU", 2, "cpu", "cpu")]
    [InlineData("cuda", 1, "cuda:0", "cuda:0")]
    [InlineData("cuda:1", 2, "cuda:1", "cuda:1")]
    [InlineData("cuda:0,cuda:1", 2, "cuda:0", "cuda:1")]
    [InlineData(" cuda:1 , cpu ", 2, "cuda:1", "cpu")]
    public void A_device_is_picked_for_each_model(string text, int cudaDevices, string reference, string aligned) =>
        Assert.Equal((reference, aligned), DeviceOption.Parse(text).Resolve(cudaDevices));

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:+1")]
    [InlineData("cuda:99999999999")]
    [InlineData("auto,cpu")]
    [InlineData("cpu,cpu,cpu")]
    [InlineData("cpu,")]
    public void Another_value_is_refused_by_the_option_s_name_and_its_allowed_values(string text)
    {
        var error = Assert.Throws<FormatException>(() => DeviceOption.Parse(text));
        Assert.Contains("--device", error.Message, StringComparison.Ordinal);
        Assert.Contains("auto, cpu, cuda, cuda:i", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cuda_without_a_device_says_how_to_get_one()
    {
        var error = Assert.Throws<LibTorchException>(() => DeviceOption.Parse("cuda").Resolve(0));
        Assert.Contains("--libtorch", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_past_the_last_device_names_those_there_are()
    {
        var error = Assert.Throws<LibTorchException>(() => DeviceOption.Parse("cuda:0,cuda:2").Resolve(2));
        Assert.Contains("cuda:2", error.Message, StringComparison.Ordinal);
        Assert.Contains("cuda:0 to cuda:1", error.Message, StringComparison.Ordinal);
    }
}
