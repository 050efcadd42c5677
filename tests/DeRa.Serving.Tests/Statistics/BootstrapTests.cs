using DeRa.Serving.Statistics;
using Xunit;

namespace DeRa.Serving.Tests.Statistics;

public sealed class BootstrapTests
{
    [Theory]
    [InlineData(.95, 1.959964)]
    [InlineData(.5, .67449)]
    public void On_normal_data_the_interval_is_the_analytic_one(double confidence, double quantile)
    {
        var values = Normals(new Random(1), 2000, mean: 3, deviation: 2);
        var halfWidth = quantile * StandardError(values);

        var interval = MeanInterval(values, confidence, resamples: 8000, seed: 5);

        Assert.Equal(values.Average(), interval.Estimate, 10);
        Assert.InRange(interval.High - interval.Estimate, .94 * halfWidth, 1.06 * halfWidth);
        Assert.InRange(interval.Estimate - interval.Low, .94 * halfWidth, 1.06 * halfWidth);
    }

    [Fact]
    public void Nineteen_in_twenty_intervals_hold_the_true_mean()
    {
        var random = new Random(2);
        var held = Enumerable.Range(0, 400).Count(trial =>
        {
            var interval = MeanInterval(Normals(random, 100, mean: -1, deviation: 1), .95, resamples: 500, seed: trial);
            return interval.Low <= -1 && -1 <= interval.High;
        });
        Assert.InRange(held, .9 * 400, .99 * 400);
    }

    [Fact]
    public void Copies_within_a_group_say_nothing_new()
    {
        var values = Normals(new Random(3), 200, mean: 0, deviation: 1);
        double[][] copied = [.. values.Select(value => Enumerable.Repeat(value, 8).ToArray())];
        var halfWidth = 1.959964 * StandardError(values);

        var grouped = Bootstrap.ClusterMeanInterval(copied, resamples: 8000);
        var naive = MeanInterval([.. copied.SelectMany(group => group)], resamples: 2000);

        Assert.InRange(grouped.High - grouped.Estimate, .92 * halfWidth, 1.08 * halfWidth);
        Assert.InRange(naive.High - naive.Estimate, .92 * halfWidth / Math.Sqrt(8), 1.08 * halfWidth / Math.Sqrt(8));
    }

    [Fact]
    public void The_estimate_weighs_values_equally_however_they_are_grouped() =>
        Assert.Equal(2, Bootstrap.ClusterMeanInterval([[1, 1, 1], [5]]).Estimate, 12);

    [Fact]
    public void Equal_seeds_give_equal_intervals()
    {
        double[] values = [1, 2, 3, 5, 8];
        Assert.Equal(MeanInterval(values, seed: 4), MeanInterval(values, seed: 4));
        Assert.NotEqual(MeanInterval(values, resamples: 50, seed: 4), MeanInterval(values, resamples: 50, seed: 6));
    }

    [Fact]
    public void Nothing_to_average_and_impossible_confidences_are_refused()
    {
        Assert.Throws<ArgumentException>(() => MeanInterval([]));
        Assert.Throws<ArgumentException>(() => Bootstrap.ClusterMeanInterval([[1], []]));
        Assert.Throws<ArgumentOutOfRangeException>(() => MeanInterval([1], confidence: 95));
        Assert.Throws<ArgumentOutOfRangeException>(() => MeanInterval([1], resamples: 0));
    }

    [Fact]
    public void The_highest_place_is_found_as_often_as_the_normal_distribution_says()
    {
        // The difference of two places has mean .1 and deviation √2 over 400 groups: a resample's sign is that of a normal variable.
        var first = Normals(new Random(4), 400, mean: 0, deviation: 1);
        double[] second = [.. Normals(new Random(5), 400, mean: .1, deviation: 1)];
        double[] difference = [.. second.Zip(first, (high, low) => high - low)];

        var shares = Bootstrap.HighestShares([first, second], resamples: 8000, seed: 3);

        Assert.Equal(1, shares.Sum(), 12);
        Assert.Equal(Cumulated(difference.Average() / StandardError(difference)), shares[1], 0.02);
    }

    [Fact]
    public void Places_are_resampled_together()
    {
        // Groups differ widely, but in each of them the second place is a little higher.
        var first = Normals(new Random(6), 50, mean: 0, deviation: 100);
        Assert.Equal([0, 1, 0], Bootstrap.HighestShares([first, [.. first.Select(value => value + .01)], first]));
    }

    [Fact]
    public void Places_of_different_groups_are_refused()
    {
        Assert.Throws<ArgumentException>(() => Bootstrap.HighestShares([]));
        Assert.Throws<ArgumentException>(() => Bootstrap.HighestShares([[]]));
        Assert.Throws<ArgumentException>(() => Bootstrap.HighestShares([[1, 2], [1]]));
    }

    /// <summary>The standard normal distribution's cumulated density, by the midpoint rule.</summary>
    private static double Cumulated(double upTo) => .5 + Enumerable.Range(0, 1000)
        .Sum(i => upTo / 1000 * Math.Exp(-Math.Pow(upTo * (i + .5) / 1000, 2) / 2)) / Math.Sqrt(2 * Math.PI);

    /// <summary>Of independent values: each is a group of its own.</summary>
    private static Interval MeanInterval(IReadOnlyList<double> values, double confidence = .95, int resamples = 2000, int seed = 0) =>
        Bootstrap.ClusterMeanInterval([.. values.Select(value => new[] { value })], confidence, resamples, seed);

    // Box and Muller's transform.
    private static double[] Normals(Random random, int count, double mean, double deviation) =>
        [.. Enumerable.Range(0, count).Select(_ =>
            mean + deviation * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()))];

    private static double StandardError(double[] values)
    {
        var mean = values.Average();
        return Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (values.Length - 1) / values.Length);
    }
}
