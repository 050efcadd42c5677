using DeRa.Engine.Requests;
using DeRa.Torch.Decoding;
using TorchSharp;
using Xunit;

namespace DeRa.Torch.Tests.Decoding;

/// <summary>The noise by libtorch's operators is the engine's.</summary>
public sealed class DeviceNoiseTests
{
    private const int VocabularySize = 5000;

    private static readonly ulong[] s_keys = [0, 1, ulong.MaxValue, 1UL << 63, GumbelNoise.Key(1, 2, 3, 4), GumbelNoise.Key(-1, 0, 0, 9)];

    [Fact]
    public void Bits_are_equal()
    {
        using var scope = torch.NewDisposeScope();
        var bits = DeviceNoise.Bits(s_keys, VocabularySize, torch.CPU).data<long>().ToArray();
        for (var i = 0; i < bits.Length; i++)
            Assert.Equal(GumbelNoise.Bits(s_keys[i / VocabularySize], i % VocabularySize), bits[i]);
    }

    [Fact]
    public void Noise_is_equal_to_float32_s_precision()
    {
        using var scope = torch.NewDisposeScope();
        var noise = DeviceNoise.Of(s_keys, VocabularySize, torch.CPU).data<float>().ToArray();
        for (var i = 0; i < noise.Length; i++)
        {
            var expected = GumbelNoise.Of(s_keys[i / VocabularySize], i % VocabularySize);
            // Where noise is small, u is near 1 and float32 has few numbers left; such noise decides nothing.
            if (expected > -1.5) Assert.Equal(expected, noise[i], 4e-6);
        }
    }

    [Fact]
    public void The_rarest_noise_is_as_large_as_the_engine_s()
    {
        // Keys found by running SplitMix64 backwards: token 0 has the least and the most of 32 bits.
        using var scope = torch.NewDisposeScope();
        var noise = DeviceNoise.Of([0x1cd6a9d3661edde1, 0xdf4fdc1b984492d9], 1, torch.CPU).data<float>().ToArray();
        Assert.Equal(22.87385695841999, noise[0], 2e-6);
        Assert.InRange(noise[1], -3.13, -2.7);
    }
}
