using System.Text;

namespace DeRa.Cli.Chat;

/// <summary>A line that is being typed, with a cursor and the lines before it.</summary>
/// <param name="history">Earlier lines, the oldest first.</param>
internal sealed class EditedLine(IReadOnlyList<string> history)
{
    private readonly StringBuilder _text = new();
    private int _place = history.Count;
    private string _draft = "";

    /// <summary>What stands there.</summary>
    public string Text => _text.ToString();

    /// <summary>Where the next character goes, from 0.</summary>
    public int Cursor { get; private set; }

    /// <summary>Applies a key that edits; others change nothing.</summary>
    public void Press(ConsoleKeyInfo key)
    {
        switch (key.Key)
        {
            case ConsoleKey.Backspace when Cursor > 0:
                _text.Remove(--Cursor, 1);
                break;
            case ConsoleKey.Delete when Cursor < _text.Length:
                _text.Remove(Cursor, 1);
                break;
            case ConsoleKey.LeftArrow:
                Cursor = Math.Max(0, Cursor - 1);
                break;
            case ConsoleKey.RightArrow:
                Cursor = Math.Min(_text.Length, Cursor + 1);
                break;
            case ConsoleKey.Home:
                Cursor = 0;
                break;
            case ConsoleKey.End:
                Cursor = _text.Length;
                break;
            case ConsoleKey.UpArrow when _place > 0:
                if (_place == history.Count) _draft = Text;
                Show(history[--_place]);
                break;
            case ConsoleKey.DownArrow when _place < history.Count:
                Show(++_place == history.Count ? _draft : history[_place]);
                break;
            default:
                if (!char.IsControl(key.KeyChar)) _text.Insert(Cursor++, key.KeyChar);
                break;
        }
    }

    /// <summary>The part around the cursor that a width has room for, and where the cursor is in it.</summary>
    public (string Text, int Cursor) Visible(int width)
    {
        var first = Math.Max(0, Cursor - width + 1);
        return (Text[first..Math.Min(_text.Length, first + width)], Cursor - first);
    }

    private void Show(string line)
    {
        _text.Clear().Append(line);
        Cursor = line.Length;
    }
}
