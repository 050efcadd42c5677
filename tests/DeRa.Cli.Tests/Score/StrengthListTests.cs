using DeRa.Cli.Score;
using Xunit;

namespace DeRa.Cli.Tests.Score;

public class StrengthListTests
{
    [Theory]
    [InlineData("0,0.5,1", "0:1:0.5")]
    [InlineData("0,0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,1", "0:1:0.1")]
    [InlineData("-1,-0.25,0.5", "-1:1:0.75")]
    [InlineData("2", "2:2:1")]
    [InlineData("0,1,2,0.5", "0:2:1,0.5")]
    [InlineData("1,3", "1", "3")]
    [InlineData("helpful=0.6;concise=0.4,0.5", "helpful=0.6,concise=0.4", "0.5")]
    public void Numbers_ranges_and_names_are_read_in_their_order(string expected, params string[] values) =>
        Assert.Equal(expected, string.Join(',', StrengthList.Parse(values).Select(StrengthList.Label)));

    [Fact]
    public void A_range_holds_the_decimals_that_it_names() =>
        Assert.Equal([.. Enumerable.Range(0, 31).Select(i => i / 10.0)], StrengthList.Parse(["0:3:0.1"]).Select(one => one.First!.Value));

    [Theory]
    [InlineData("holds 'much'", "much")]
    [InlineData("holds ''", "0,,1")]
    [InlineData("holds '0:1'", "0:1")]
    [InlineData("holds '0:b:1'", "0:b:1")]
    [InlineData("step must be above 0", "0:1:0")]
    [InlineData("TO not below FROM", "1:0:0.1")]
    [InlineData("more than 1000 strengths", "0:1:0.0005")]
    [InlineData("more than 1000 strengths", "0:1:0.001", "2")]
    [InlineData("holds '=1'", "=1")]
    [InlineData("holds 'a=b'", "a=b")]
    [InlineData("names 'a' twice", "a=1,a=2")]
    public void What_is_none_is_refused(string message, params string[] values) =>
        Assert.Contains(message, Assert.Throws<FormatException>(() => StrengthList.Parse(values)).Message, StringComparison.Ordinal);
}
