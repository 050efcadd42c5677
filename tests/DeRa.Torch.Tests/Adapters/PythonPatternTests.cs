using System.Text.RegularExpressions;
using DeRa.Torch.Adapters;
using Xunit;

namespace DeRa.Torch.Tests.Adapters;

public sealed class PythonPatternTests
{
    [Theory]
    [InlineData(@".*\.(q|v)_proj$", @".*\.(q|v)_proj$")]
    [InlineData(@"(?P<a>x)(y)(?P=a)\2", @"(x)(y)(?:\1)\2")]
    [InlineData(@"(?:x)(?=y)(?P<b>z)(?P=b)1", @"(?:x)(?=y)(z)(?:\1)1")]
    [InlineData(@"(?P<a>x)?(?(a)y|z)", @"(x)?(?(1)y|z)")]
    [InlineData(@"\(?P<a>", @"\(?P<a>"), InlineData(@"[(?P<a>]", @"[(?P<a>]"), InlineData(@"[]a-z-[aeiou]", @"[]a-z-\[aeiou]"),
        InlineData(@"[^]\]]", @"[^]\]]")]
    [InlineData(@"a{,3}b{2,}", @"a{0,3}b{2,}"), InlineData(@"a\Z", @"a\z"), InlineData(@"[\Z", @"[\z")]
    [InlineData(@"(?P<a", @"(?P<a"), InlineData(@"(?P=a)", @"(?P=a)"), InlineData("\\", "\\"), InlineData("[", "["), InlineData("", "")]
    public void A_pattern_is_written_as_dot_net_reads_it(string python, string expected) =>
        Assert.Equal(expected, PythonPattern.ToDotNet(python));

    /// <summary>The results of Python's <c>re.fullmatch</c>.</summary>
    [Theory]
    [InlineData(@"(?P<side>up|down)_proj", "down_proj", true), InlineData(@"(?P<side>up|down)_proj", "gate_proj", false)]
    [InlineData(@"(a)(?P<n>b)\2\1", "abba", true), InlineData(@"(a)(?P<n>b)\2\1", "abab", false)]
    [InlineData(@"x{,2}", "xx", true), InlineData(@"x{,2}", "xxx", false), InlineData(@"x{,2}", "x{,2}", false)]
    [InlineData(@"[a-z-[aeiou]+", "[-a", true)]
    public void It_matches_what_it_matches_in_Python(string python, string text, bool matches) =>
        Assert.Equal(matches, Regex.IsMatch(text, @"\A(?:" + PythonPattern.ToDotNet(python) + @")\z"));
}
