using DeRa.Engine.Streaming;
using Xunit;

namespace DeRa.Engine.Tests.Streaming;

public sealed class StopStringMatcherTests
{
    [Fact]
    public void Text_before_a_stop_string_is_released_and_the_stop_string_is_not()
    {
        var matcher = new StopStringMatcher(["STOP"]);
        Assert.Equal("one S", matcher.Append("one SS"));
        Assert.Equal("", matcher.Append("TO"));
        Assert.Equal("", matcher.Append("P two"));
        Assert.Equal("STOP", matcher.Matched);
        Assert.Equal("", matcher.Append("more") + matcher.Finish());
    }

    [Fact]
    public void What_only_began_a_stop_string_is_released_at_the_end()
    {
        var matcher = new StopStringMatcher(["</end>"]);
        Assert.Equal("a", matcher.Append("a</en"));
        Assert.Equal("</en", matcher.Finish());
        Assert.Null(matcher.Matched);
        Assert.Equal("", matcher.Finish());
    }

    [Fact]
    public void A_stop_string_that_does_not_count_yet_is_text_and_one_that_ends_later_counts()
    {
        var matcher = new StopStringMatcher(["abab", "b"]);
        Assert.Equal("ababab", matcher.Append("ababab", mayEnd: false) + matcher.Finish());
        Assert.Null(matcher.Matched);
        var overlapping = new StopStringMatcher(["abab"]);
        Assert.Equal("ab", overlapping.Append("abab", mayEnd: false));
        Assert.Equal("", overlapping.Append("ab"));
        Assert.Equal("abab", overlapping.Matched);
    }

    [Theory]
    [InlineData("one", " sto", "p two")]
    [InlineData("one ", "s", "t", "o", "p", " two")]
    [InlineData("one stop two")]
    public void A_stop_string_is_released_whole_where_it_is_part_of_the_text(params string[] pieces)
    {
        var matcher = new StopStringMatcher(["stop", "zz"], includeStop: true);
        Assert.Equal("one stop", string.Concat(pieces.Select(piece => matcher.Append(piece))) + matcher.Finish());
        Assert.Equal("stop", matcher.Matched);
    }

    [Fact]
    public void Without_stop_strings_nothing_is_held() => Assert.Equal("abc", new StopStringMatcher([]).Append("abc"));

    [Fact]
    public void An_empty_stop_string_is_refused() => Assert.Throws<ArgumentException>(() => new StopStringMatcher(["a", ""]));

    [Fact]
    public void Random_cuts_give_what_a_search_of_the_whole_text_gives()
    {
        var random = new Random(5);
        for (var round = 0; round < 3000; round++)
        {
            var text = RandomText(random, random.Next(30));
            var stops = Enumerable.Range(0, random.Next(1, 4)).Select(_ => RandomText(random, random.Next(1, 6))).ToArray();
            var (released, matched) = SearchWhole(text, stops);
            var matcher = new StopStringMatcher(stops);
            var streamed = string.Concat(RandomCuts(random, text).Select(piece => matcher.Append(piece))) + matcher.Finish();
            Assert.Equal((released, matched), (streamed, matcher.Matched));
        }
    }

    /// <summary>The stop string whose end comes first, of two that end together the longer.</summary>
    private static (string Released, string? Matched) SearchWhole(string text, string[] stops)
    {
        var found = stops.Select(stop => (Stop: stop, At: text.IndexOf(stop, StringComparison.Ordinal))).Where(match => match.At >= 0)
            .OrderBy(match => match.At + match.Stop.Length).ThenByDescending(match => match.Stop.Length).ToList();
        if (found.Count == 0) return (text, null);
        var (stop, at) = found[0];
        return (text[..at], stop);
    }

    private static IEnumerable<string> RandomCuts(Random random, string text)
    {
        for (var at = 0; at < text.Length;)
        {
            var next = Math.Min(text.Length, at + random.Next(5));
            yield return text[at..next];
            at = next;
        }
    }

    private static string RandomText(Random random, int length) =>
        new([.. Enumerable.Range(0, length).Select(_ => "ab"[random.Next(2)])]);
}
