using System.Threading.Channels;

namespace DeRa.Cli.Columns;

/// <summary>
/// Writes continuations side by side: a line of all columns as soon as each has it, so that nothing is written over and what has
/// scrolled away can be read again.
/// </summary>
internal sealed class ContinuationColumns
{
    private const string Gap = "  ";
    private const int NarrowestColumn = 20;
    private readonly TextWriter _output;
    private readonly IReadOnlyList<(string Label, ChannelReader<string> Pieces)> _streams;
    private readonly int _width;
    private readonly WrappedText[] _columns;
    private readonly Lock _gate = new();
    private int _written;

    /// <param name="output">The terminal.</param>
    /// <param name="streams">The columns: what stands above each, and its text piece by piece.</param>
    /// <param name="width">Characters of a column.</param>
    public ContinuationColumns(TextWriter output, IReadOnlyList<(string Label, ChannelReader<string> Pieces)> streams, int width)
    {
        (_output, _streams, _width) = (output, streams, width);
        _columns = [.. streams.Select(_ => new WrappedText(width))];
    }

    /// <summary>The width of so many columns; null where they would be too narrow to read.</summary>
    /// <param name="count">Columns.</param>
    /// <param name="terminalWidth">Characters of a line.</param>
    public static int? WidthOf(int count, int terminalWidth) =>
        (terminalWidth - Gap.Length * (count - 1)) / count is >= NarrowestColumn and var width ? width : null;

    /// <summary>Writes the prompt, and all columns to their ends.</summary>
    public async Task WriteAsync(string prompt, CancellationToken cancellation)
    {
        await _output.WriteLineAsync(prompt);
        await _output.WriteLineAsync();
        await _output.WriteLineAsync(Row(_streams.Select(stream => stream.Label)));
        await Task.WhenAll(_streams.Select((stream, column) => FillAsync(stream.Pieces, _columns[column], cancellation)));
    }

    private async Task FillAsync(ChannelReader<string> pieces, WrappedText column, CancellationToken cancellation)
    {
        var isFirst = true;
        await foreach (var piece in pieces.ReadAllAsync(cancellation))
        {
            // A line does not begin with the space between prompt and continuation.
            lock (_gate) column.Append(isFirst ? piece.TrimStart(' ') : piece);
            isFirst &= piece.Length == 0;
            WriteRows();
        }
        lock (_gate) column.Finish();
        WriteRows();
    }

    private void WriteRows()
    {
        lock (_gate)
        {
            while (_columns.All(column => column.IsFinished || column.Lines.Count > _written)
                && _columns.Any(column => column.Lines.Count > _written))
            {
                _output.WriteLine(Row(_columns.Select(column => column.Lines.ElementAtOrDefault(_written) ?? "")));
                _written++;
            }
        }
    }

    private string Row(IEnumerable<string> cells) => string.Join(Gap, cells.Select(cell => WrappedText.Pad(cell, _width))).TrimEnd();
}
