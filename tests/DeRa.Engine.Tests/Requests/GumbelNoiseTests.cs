using DeRa.Engine.Requests;
using Xunit;

namespace DeRa.Engine.Tests.Requests;

public class GumbelNoiseTests
{
    private const double EulerGamma = 0.5772156649015329;

    private static readonly double[] s_noise =
        [.. Enumerable.Range(0, 1_000_000).Select(i => GumbelNoise.Of(GumbelNoise.Key(3, 0, 0, i / 1000), i % 1000))];

    // The first outputs of the authors' splitmix64.c begun at 1234567.
    [Theory]
    [InlineData(0, 6457827717110365317)]
    [InlineData(1, 3203168211198807973)]
    [InlineData(2, 9817491932198370423)]
    [InlineData(3, 4593380528125082431)]
    [InlineData(4, 16408922859458223821)]
    public void Bits_are_the_upper_half_of_SplitMix64_s_known_answers(int token, ulong answer) =>
        Assert.Equal((uint)(answer >> 32), GumbelNoise.Bits(1234567, token));

    [Fact]
    public void Noise_has_the_mean_and_the_variance_of_the_Gumbel_distribution()
    {
        var mean = s_noise.Average();
        var squares = s_noise.Average(noise => (noise - mean) * (noise - mean));
        // Standard deviations of the estimates: 0.0013 and 0.0034.
        Assert.Equal(EulerGamma, mean, 0.005);
        Assert.Equal(Math.PI * Math.PI / 6, squares, 0.014);
    }

    [Theory]
    [InlineData(-1.5)]
    [InlineData(-1)]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(6)]
    [InlineData(9)]
    public void Noise_exceeds_a_bound_as_often_as_the_Gumbel_distribution(double bound)
    {
        var expected = 1 - Math.Exp(-Math.Exp(-bound));
        var deviation = Math.Sqrt(expected * (1 - expected) / s_noise.Length);
        Assert.Equal(expected, s_noise.Count(noise => noise > bound) / (double)s_noise.Length, 4 * deviation);
    }

    // Keys found by running SplitMix64 backwards: token 0 has the least and the most of 32 bits.
    [Theory]
    [InlineData(0x1cd6a9d3661edde1, 0u, 22.87385695841999)]
    [InlineData(0xdf4fdc1b984492d9, uint.MaxValue, -3.129994640884816)]
    public void The_ends_of_the_range_are_reached(ulong key, uint bits, double noise)
    {
        Assert.Equal(bits, GumbelNoise.Bits(key, 0));
        Assert.Equal(noise, GumbelNoise.Of(key, 0), 1e-9);
    }

    [Fact]
    public void Keys_differ_by_seed_choice_stream_and_position()
    {
        var keys = Enumerable.Range(0, 10_000).Select(i => GumbelNoise.Key(i % 10, i / 10 % 10, i / 100 % 10, i / 1000)).ToArray();
        Assert.Equal(keys.Length, keys.Distinct().Count());
        Assert.NotEqual(GumbelNoise.Key(1, 0, 0, 0), GumbelNoise.Key(1L | 1L << 40, 0, 0, 0));
    }
}
