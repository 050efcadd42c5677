using System.Globalization;
using System.Text;

namespace DeRa.Cli.Columns;

/// <summary>Breaks a text that grows into lines of a width, between words where it can.</summary>
/// <param name="width">Characters (grapheme clusters) of a line; at least 1.</param>
internal sealed class WrappedText(int width)
{
    private readonly List<string> _lines = [];
    private readonly StringBuilder _rest = new();

    /// <summary>Lines that no more text can change.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Whether the text has ended: <see cref="Lines"/> are all.</summary>
    public bool IsFinished { get; private set; }

    /// <summary>Takes a piece.</summary>
    public void Append(string text)
    {
        // What moves a terminal's cursor would spoil the other columns.
        foreach (var character in text)
            _rest.Append(character == '\n' || !char.IsControl(character) ? character : ' ');
        while (Break() is var (line, next))
        {
            _lines.Add(line);
            _rest.Remove(0, next);
        }
    }

    /// <summary>Ends the text.</summary>
    public void Finish()
    {
        if (_rest.Length > 0) _lines.Add(_rest.ToString().TrimEnd());
        _rest.Clear();
        IsFinished = true;
    }

    /// <summary>A string padded to a width as this class counts it.</summary>
    public static string Pad(string line, int width) =>
        line + new string(' ', Math.Max(0, width - new StringInfo(line).LengthInTextElements));

    /// <summary>The next whole line and where the one after it begins; null while the line may still grow.</summary>
    private (string Line, int Next)? Break()
    {
        var text = _rest.ToString();
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var starts = StringInfo.ParseCombiningCharacters(end < 0 ? text : text[..end]);
        if (starts.Length <= width) return end < 0 ? null : (text[..end].TrimEnd(), end + 1);
        var limit = starts[width];
        // A space just behind a full line ends it too.
        var space = text.LastIndexOf(' ', limit);
        return space > 0 ? (text[..space].TrimEnd(), space + 1) : (text[..limit], limit);
    }
}
