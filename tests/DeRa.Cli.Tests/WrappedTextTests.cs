using DeRa.Cli.Columns;
using Xunit;

namespace DeRa.Cli.Tests;

public class WrappedTextTests
{
    private static IReadOnlyList<string> Wrap(int width, params string[] pieces)
    {
        var text = new WrappedText(width);
        foreach (var piece in pieces) text.Append(piece);
        text.Finish();
        return text.Lines;
    }

    [Theory]
    [InlineData("One day, a dog ran.", "One day,", "a dog", "ran.")]
    [InlineData("12345678 9", "12345678", "9")]
    [InlineData("1234567890123", "12345678", "90123")]
    [InlineData("a\n\nb\n", "a", "", "b")]
    [InlineData("a\tb\u001b[2Jc", "a b [2Jc")]
    [InlineData("")]
    [InlineData("e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301x",
        "e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", "x")]
    public void A_text_is_broken_between_words_alike_in_one_piece_and_in_many(string text, params string[] expected)
    {
        Assert.Equal(expected, Wrap(8, text));
        Assert.Equal(expected, Wrap(8, [.. System.Globalization.StringInfo.GetTextElementEnumerator(text).ToStrings()]));
    }

    [Fact]
    public void A_line_comes_out_as_soon_as_nothing_can_change_it()
    {
        var text = new WrappedText(8);
        text.Append("One day,");
        Assert.Empty(text.Lines);
        text.Append(" ");
        Assert.Equal(["One day,"], text.Lines);
    }

    [Theory]
    [InlineData(2, 80, 39)]
    [InlineData(3, 80, 25)]
    [InlineData(4, 80, null)]
    [InlineData(2, 0, null)]
    public void Columns_too_narrow_to_read_are_none(int count, int terminal, int? width) =>
        Assert.Equal(width, ContinuationColumns.WidthOf(count, terminal));
}

internal static class TextElements
{
    public static IEnumerable<string> ToStrings(this System.Globalization.TextElementEnumerator elements)
    {
        while (elements.MoveNext()) yield return elements.GetTextElement();
    }
}
