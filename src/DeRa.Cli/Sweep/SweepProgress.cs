namespace DeRa.Cli.Sweep;

/// <summary>
/// Shows how many prompts are done, and how long the rest takes: on a terminal in one line, elsewhere in a line for each tenth.
/// </summary>
/// <param name="error">Receives the lines.</param>
/// <param name="done">Prompts that an earlier run has done.</param>
/// <param name="total">Prompts of all runs together.</param>
/// <param name="time">What the time left is told by.</param>
internal sealed class SweepProgress(TextWriter error, int done, int total, TimeProvider time)
{
    private readonly bool _isTerminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
    private readonly long _begun = time.GetTimestamp();
    private int _new;
    private int _shown = -1;

    /// <summary>One more is done.</summary>
    public void Next()
    {
        _new++;
        Report();
    }

    /// <summary>Shows how many are done.</summary>
    public void Report()
    {
        var part = (int)((_isTerminal ? 1000L : 10L) * (done + _new) / total);
        if (part == _shown) return;
        _shown = part;
        var text = $"{done + _new} of {total} prompts{Left()}";
        if (_isTerminal) error.Write($"\r{text}    ");
        else error.WriteLine(text);
    }

    /// <summary>Ends the line.</summary>
    public void End()
    {
        if (_isTerminal) error.WriteLine();
    }

    private string Left()
    {
        var left = total - done - _new;
        if (_new == 0 || left == 0) return "";
        var needed = time.GetElapsedTime(_begun) / _new * left;
        return needed.TotalMinutes >= 1 ? $", {Math.Ceiling(needed.TotalMinutes)} min left"
            : $", {Math.Ceiling(needed.TotalSeconds)} s left";
    }
}
