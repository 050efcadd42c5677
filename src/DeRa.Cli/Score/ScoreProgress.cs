namespace DeRa.Cli.Score;

/// <summary>Shows how many items are scored: on a terminal in one line, elsewhere in a line for each tenth.</summary>
/// <param name="error">Receives the lines.</param>
/// <param name="total">Items of all runs together.</param>
internal sealed class ScoreProgress(TextWriter error, int total)
{
    private readonly bool _isTerminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
    private int _shown = -1;

    /// <summary>So many are done.</summary>
    public void Report(int done)
    {
        var part = (int)((_isTerminal ? 1000L : 10L) * done / total);
        if (part == _shown) return;
        _shown = part;
        if (_isTerminal) error.Write($"\rScored {done} of {total}");
        else error.WriteLine($"Scored {done} of {total}");
    }

    /// <summary>Ends the line.</summary>
    public void End()
    {
        if (_isTerminal) error.WriteLine();
    }
}
