using DeRa.Cli.Bench.Serve;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Serve;

public class PoissonArrivalsTests
{
    private const double Rate = 50;
    private const int Count = 20_000;

    private static readonly double[] s_gaps = Gaps();

    [Fact]
    public void Times_between_arrivals_are_exponentially_distributed()
    {
        // Kolmogorov and Smirnov's distance stays below 1.95 / √n but once in a thousand.
        var sorted = s_gaps.Order().ToArray();
        var distance = sorted.Select((gap, i) => Math.Max(Cumulative(gap) - (double)i / Count, (i + 1.0) / Count - Cumulative(gap))).Max();
        Assert.InRange(distance, 0, 1.95 / Math.Sqrt(Count));

        static double Cumulative(double gap) => 1 - Math.Exp(-Rate * gap);
    }

    [Fact]
    public void Times_between_arrivals_do_not_depend_on_those_before()
    {
        var pairs = s_gaps.Zip(s_gaps.Skip(1), (one, next) => (one * Rate - 1) * (next * Rate - 1));
        Assert.InRange(pairs.Average(), -4 / Math.Sqrt(Count), 4 / Math.Sqrt(Count));
    }

    [Fact]
    public void A_seed_gives_the_same_times()
    {
        Assert.Equal(PoissonArrivals.At(3, seed: 7).Take(10), PoissonArrivals.At(3, seed: 7).Take(10));
        Assert.NotEqual(PoissonArrivals.At(3, seed: 7).Take(10), PoissonArrivals.At(3, seed: 8).Take(10));
    }

    private static double[] Gaps()
    {
        var times = PoissonArrivals.At(Rate, seed: 1).Take(Count).Select(time => time.TotalSeconds).Prepend(0).ToArray();
        return [.. times.Zip(times.Skip(1), (one, next) => next - one)];
    }
}
