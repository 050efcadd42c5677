using System.Diagnostics;
using System.Globalization;

namespace DeRa.Lab.Evaluation;

/// <summary>Shows the progress of a sweep: on a terminal one line that is overwritten, elsewhere a line for each part.</summary>
/// <param name="output">Receives the lines.</param>
/// <param name="parts">Parts of all strengths together.</param>
/// <param name="isTerminal">Whether that is a terminal.</param>
internal sealed class EvaluationProgress(TextWriter output, int parts, bool isTerminal)
{
    private const int BarCharacters = 20;
    private readonly Stopwatch _sinceLine = Stopwatch.StartNew();
    private int _done;

    /// <summary>The current part has that many tokens so far.</summary>
    public void Drawn(double strength, int tokens)
    {
        if (!isTerminal || _sinceLine.ElapsedMilliseconds < 200) return;
        _sinceLine.Restart();
        output.Write($"\r{Line(strength)}, {tokens} tokens\u001b[K");
    }

    /// <summary>A part is finished.</summary>
    /// <param name="strength">Its strength.</param>
    /// <param name="isOld">Whether it was sampled by an earlier run.</param>
    public void Finished(double strength, bool isOld)
    {
        _done++;
        if (isTerminal) output.Write($"\r{Line(strength)}\u001b[K");
        else output.WriteLine($"{Line(strength)}{(isOld ? ", as drawn before" : "")}");
    }

    /// <summary>Ends the line.</summary>
    public void End()
    {
        if (isTerminal) output.WriteLine();
    }

    private string Line(double strength)
    {
        var filled = BarCharacters * _done / parts;
        return string.Create(CultureInfo.InvariantCulture,
            $"evaluate [{new string('#', filled)}{new string('.', BarCharacters - filled)}] {_done}/{parts}  λ = {strength}");
    }
}
