using DeRa.Engine.Requests;
using Xunit;

namespace DeRa.Engine.Tests.Requests;

public class CounterRandomTests
{
    // Known answers published with Random123 (kat_vectors, philox4x32 10).
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_gives_its_published_answers(
        uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint r0, uint r1, uint r2, uint r3) =>
        Assert.Equal((r0, r1, r2, r3), CounterRandom.Philox((c0, c1, c2, c3), (k0, k1)));

    [Fact]
    public void Draws_are_uniform_and_differ_by_seed_choice_and_position()
    {
        var draws = Enumerable.Range(0, 40_000).Select(i => CounterRandom.Uniform(i % 10, i / 10 % 10, i / 100)).ToArray();
        Assert.Equal(draws.Length, draws.Distinct().Count());
        Assert.All(draws, draw => Assert.InRange(draw, 0, Math.BitDecrement(1.0)));
        // Each of 10 bins expects 4000 with a standard deviation of 60.
        Assert.All(draws.GroupBy(draw => (int)(draw * 10)), bin => Assert.InRange(bin.Count(), 3700, 4300));
    }

    [Fact]
    public void All_64_bits_of_the_seed_count() =>
        Assert.NotEqual(CounterRandom.Uniform(1, 0, 0), CounterRandom.Uniform(1L | 1L << 40, 0, 0));
}
