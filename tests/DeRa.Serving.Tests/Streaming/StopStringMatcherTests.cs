using DeRa.Serving.Streaming;
using DeRa.Text.Chat;
using Xunit;

namespace DeRa.Serving.Tests.Streaming;

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
    public void Stop_strings_of_the_plain_chat_template_end_a_response_before_the_next_turn()
    {
        var matcher = new StopStringMatcher(PlainChatTemplate.StopStrings);
        Assert.Equal(" Fine.", matcher.Append(" Fine.\n\nUser: And") + matcher.Append(" you?") + matcher.Finish());
        Assert.NotNull(matcher.Matched);
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

    [Theory]
    [InlineData("<x>", "ab", true)] // The token alone ends the text.
    [InlineData("b<x>", "a", true)] // Text before it is part of the stop string.
    [InlineData("<x>c", "ab", true)]
    [InlineData("<x>cd", "ab", true)]
    [InlineData("<x><x>", "abcd", false)]
    [InlineData("x", "abcd", false)] // A part of a spelling is no text of the model's.
    [InlineData("b<", "abcd", false)]
    [InlineData(">c", "abcd", false)]
    [InlineData("bc", "a", true)] // What the reader sees joined is joined.
    public void A_hidden_token_is_a_stop_string_or_a_part_of_one_as_a_whole(string stop, string released, bool isFound)
    {
        foreach (var pieces in (string[][])[["ab", "cd"], ["a", "b", "", "c", "d"]])
        {
            var matcher = new StopStringMatcher([stop]);
            var text = string.Concat(pieces[..^(pieces.Length / 2)].Select(piece => matcher.Append(piece)));
            text += matcher.AppendHidden("<x>");
            text += string.Concat(pieces[^(pieces.Length / 2)..].Select(piece => matcher.Append(piece))) + matcher.Finish();
            Assert.Equal((released, isFound ? stop : null), (text, matcher.Matched));
        }
    }

    [Fact]
    public void A_stop_string_of_several_hidden_tokens_takes_them_in_a_row()
    {
        var matcher = new StopStringMatcher(["<x><y>"]);
        Assert.Equal("a", matcher.Append("a") + matcher.AppendHidden("<x>") + matcher.AppendHidden("<x>") + matcher.AppendHidden("<y>"));
        Assert.Equal("<x><y>", matcher.Matched);
    }

    [Fact]
    public void A_hidden_token_before_it_counts_is_passed_over()
    {
        var matcher = new StopStringMatcher(["<x>"]);
        Assert.Equal("ab", matcher.Append("a", mayEnd: false) + matcher.AppendHidden("<x>", mayEnd: false) + matcher.Append("b"));
        Assert.Equal("", matcher.AppendHidden("<x>"));
        Assert.Equal("<x>", matcher.Matched);
    }

    [Fact]
    public void A_stop_string_with_a_hidden_token_is_released_as_it_was_given()
    {
        var matcher = new StopStringMatcher(["b<x>\n"], includeStop: true);
        Assert.Equal("ab<x>\n", matcher.Append("ab") + matcher.AppendHidden("<x>") + matcher.Append("\nmore") + matcher.Finish());
    }

    [Fact]
    public void Random_hidden_tokens_give_what_a_search_of_the_whole_text_gives()
    {
        var random = new Random(7);
        for (var round = 0; round < 3000; round++)
        {
            // A token is spelled in the letters of the text, so that stop strings begin and end inside it.
            var pieces = Enumerable.Range(0, random.Next(12))
                .Select(_ => (Text: RandomText(random, random.Next(4)), IsHidden: random.Next(3) == 0)).ToList();
            var stops = Enumerable.Range(0, random.Next(1, 4)).Select(_ => RandomText(random, random.Next(1, 6))).ToArray();
            var matcher = new StopStringMatcher(stops);
            var streamed = string.Concat(
                pieces.Select(piece => piece.IsHidden ? matcher.AppendHidden(piece.Text) : matcher.Append(piece.Text)));
            Assert.Equal(SearchWhole(pieces, stops), (streamed + matcher.Finish(), matcher.Matched));
        }
    }

    /// <summary>
    /// The first end at which the visible text, or the one with whole hidden tokens in it, ends with a stop string; the longest there.
    /// </summary>
    private static (string Released, string? Matched) SearchWhole(List<(string Text, bool IsHidden)> pieces, string[] stops)
    {
        var (visible, spelled) = ("", "");
        var visibleAt = new List<int> { 0 };
        var isInside = new List<bool> { false };
        foreach (var (text, hidden) in pieces)
            for (var i = 0; i < text.Length; i++)
            {
                if (!hidden) visible += text[i];
                spelled += text[i];
                isInside[^1] = hidden && i > 0;
                visibleAt.Add(visible.Length);
                isInside.Add(false);
                if (hidden && i < text.Length - 1) continue;
                var found = stops.Where(stop => !hidden && visible.EndsWith(stop, StringComparison.Ordinal))
                    .Select(stop => (Stop: stop, At: visible.Length - stop.Length))
                    .Concat(stops.Where(stop => spelled.EndsWith(stop, StringComparison.Ordinal) && !isInside[spelled.Length - stop.Length])
                        .Select(stop => (Stop: stop, At: visibleAt[spelled.Length - stop.Length])))
                    .OrderByDescending(match => match.Stop.Length).ToList();
                if (found.Count > 0) return (visible[..found[0].At], found[0].Stop);
            }
        return (visible, null);
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
