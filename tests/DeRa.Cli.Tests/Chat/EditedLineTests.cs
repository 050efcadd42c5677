using DeRa.Cli.Chat;
using Xunit;

namespace DeRa.Cli.Tests.Chat;

/// <summary>Keys that edit a line.</summary>
public class EditedLineTests
{
    [Fact]
    public void Keys_insert_and_remove_at_the_cursor()
    {
        var line = new EditedLine([]);
        Type(line, "helo");
        Press(line, ConsoleKey.LeftArrow);
        Type(line, "l");
        Assert.Equal(("hello", 4), (line.Text, line.Cursor));
        Press(line, ConsoleKey.Home, ConsoleKey.Delete, ConsoleKey.Backspace, ConsoleKey.LeftArrow);
        Type(line, "J");
        Press(line, ConsoleKey.End, ConsoleKey.RightArrow, ConsoleKey.Backspace);
        Assert.Equal(("Jell", 4), (line.Text, line.Cursor));
        Press(line, ConsoleKey.F5, ConsoleKey.Delete);
        Assert.Equal("Jell", line.Text);
    }

    [Fact]
    public void Arrows_go_through_what_was_typed_before_and_back_to_the_draft()
    {
        var line = new EditedLine(["one", "two"]);
        Type(line, "dra");
        Press(line, ConsoleKey.UpArrow);
        Assert.Equal(("two", 3), (line.Text, line.Cursor));
        Press(line, ConsoleKey.UpArrow, ConsoleKey.UpArrow);
        Assert.Equal("one", line.Text);
        Press(line, ConsoleKey.DownArrow, ConsoleKey.DownArrow, ConsoleKey.DownArrow);
        Assert.Equal(("dra", 3), (line.Text, line.Cursor));
    }

    [Fact]
    public void A_line_longer_than_the_terminal_shows_the_part_at_the_cursor()
    {
        var line = new EditedLine([]);
        Type(line, "abcdefgh");
        Assert.Equal(("fgh", 3), line.Visible(4));
        Press(line, ConsoleKey.Home);
        Assert.Equal(("abcd", 0), line.Visible(4));
    }

    private static void Type(EditedLine line, string text)
    {
        foreach (var character in text) line.Press(new ConsoleKeyInfo(character, ConsoleKey.NoName, false, false, false));
    }

    private static void Press(EditedLine line, params ConsoleKey[] keys)
    {
        foreach (var key in keys) line.Press(new ConsoleKeyInfo('\0', key, false, false, false));
    }
}
