using DeRa.Cli.Bench.Serve;
using Xunit;

namespace DeRa.Cli.Tests.Bench.Serve;

public class GoodputTests
{
    [Fact]
    public void Bounds_are_read()
    {
        Assert.Equal(new Goodput(500, 50, null), Goodput.Parse("ttft:500,tpot:50"));
        Assert.Equal(new Goodput(null, 12.5, 9000), Goodput.Parse("e2el:9000 tpot:12.5"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("ttft")]
    [InlineData("ttft:0")]
    [InlineData("ttft:NaN")]
    [InlineData("itl:5")]
    [InlineData("ttft:500;tpot:50")]
    public void What_is_no_bound_is_refused(string text) =>
        Assert.StartsWith("--goodput holds '", Assert.Throws<FormatException>(() => Goodput.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_request_that_has_not_ended_meets_nothing()
    {
        Assert.False(new Goodput(1e9, null, null).IsMetBy(new ServeRequest()));
    }
}
