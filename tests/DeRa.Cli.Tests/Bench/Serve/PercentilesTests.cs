using DeRa.Cli.Bench.Serve;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Serve;

public class PercentilesTests
{
    [Fact]
    public void A_percentile_is_the_smallest_value_that_so_many_do_not_exceed()
    {
        Assert.Equal(new Percentiles(100, 50.5, 50, 90, 99),
            Percentiles.Of([.. Enumerable.Range(1, 100).Reverse().Select(i => (double)i)]));
        Assert.Equal(new Percentiles(3, 2, 2, 3, 3), Percentiles.Of([3, 1, 2]));
        Assert.Equal(new Percentiles(1, 7, 7, 7, 7), Percentiles.Of([7]));
        Assert.Null(Percentiles.Of([]));
    }
}
