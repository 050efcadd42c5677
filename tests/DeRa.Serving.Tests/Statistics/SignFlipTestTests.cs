using DeRa.Serving.Statistics;
using Xunit;

namespace DeRa.Serving.Tests.Statistics;

public sealed class SignFlipTestTests
{
    /// <summary>
    /// Heights of Darwin's maize, crossed less self-fertilised, in eighths of an inch: Fisher (1935, § 21) counts 863 of 32,768 ways on a
    /// side.
    /// </summary>
    private static readonly double[] s_maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];

    [Fact]
    public void Fishers_own_example_is_counted_exactly() => Assert.Equal(2 * 863 / 32768.0, SignFlipTest.PValue(s_maize), 1e-12);

    [Fact]
    public void Draws_come_near_the_count()
    {
        // Four standard errors of 30,000 draws of a share of 0.0527.
        Assert.Equal(2 * 863 / 32768.0, SignFlipTest.PValue(s_maize, flips: 30_000), .0052);
        Assert.Equal(SignFlipTest.PValue(s_maize, 20_000, 3), SignFlipTest.PValue(s_maize, 20_000, 3));
    }

    [Fact]
    public void Equal_signs_are_as_unlikely_as_all_heads_or_all_tails()
    {
        Assert.Equal(2 / 32.0, SignFlipTest.PValue([.1, .2, .3, .1, .2]));
        Assert.Equal(2 / 32.0, SignFlipTest.PValue([-.1, -.2, -.3, -.1, -.2]));
        // Of 80 no draw is as far: the one there is alone counts.
        Assert.Equal(1 / 1001.0, SignFlipTest.PValue([.. Enumerable.Repeat(.1, 80)], flips: 1000));
    }

    [Fact]
    public void Without_differences_all_ways_are_alike()
    {
        Assert.Equal(1, SignFlipTest.PValue([0, 0, 0]));
        Assert.Equal(1, SignFlipTest.PValue([.1, -.1]));
        Assert.Throws<ArgumentException>(() => SignFlipTest.PValue([]));
    }

    [Fact]
    public void Where_there_is_no_difference_one_in_twenty_is_below_five_percent()
    {
        var random = new Random(4);
        var below = Enumerable.Range(0, 1000).Count(trial =>
            SignFlipTest.PValue([.. Enumerable.Range(0, 10).Select(_ => random.NextDouble() - .5)]) <= .05);
        Assert.InRange(below, 25, 75);
    }
}
