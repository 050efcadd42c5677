using System.Diagnostics;
using System.Globalization;

namespace DeRa.Lab.Training;

/// <summary>
/// Shows a bar with the smoothed loss, the step's metrics, tokens/s and the time left: on a terminal one line that is overwritten,
/// elsewhere a line every ten seconds; always the last step.
/// </summary>
internal sealed class TrainingProgress(TextWriter output, string title, bool isTerminal)
{
    private const int BarCharacters = 20;
    private const double Smoothing = 0.95;
    private readonly Stopwatch _sinceBegin = new(), _sinceLine = new();
    private int _first, _steps;
    private long _tokens;
    private double? _loss;

    /// <summary>Starts the clock.</summary>
    public void Begin(int done, int steps)
    {
        (_first, _steps) = (done, steps);
        if (done > 0) output.WriteLine($"{title}: resumes after step {done}");
        _sinceBegin.Start();
        _sinceLine.Start();
    }

    /// <summary>Reports that there is nothing to do.</summary>
    public void AlreadyFinished(string folder) => output.WriteLine($"{title}: {folder} is already finished");

    /// <summary>Takes a finished step.</summary>
    public void Report(int step, double loss, TaskStep result)
    {
        _tokens += result.Tokens;
        _loss = _loss is { } before ? Smoothing * before + (1 - Smoothing) * loss : loss;
        if (step < _steps && _sinceLine.Elapsed.TotalSeconds < (isTerminal ? 0.2 : 10)) return;
        _sinceLine.Restart();
        var text = Line(step, result);
        if (isTerminal) output.Write($"\r{text}\u001b[K");
        else output.WriteLine(text);
    }

    /// <summary>Reports that the run was interrupted and can be resumed.</summary>
    public void Stopped(int step)
    {
        End();
        output.WriteLine($"{title}: stopped after step {step}; the same command resumes from there");
    }

    /// <summary>Ends the line.</summary>
    public void End()
    {
        if (isTerminal) output.WriteLine();
    }

    private string Line(int step, TaskStep result)
    {
        var seconds = _sinceBegin.Elapsed.TotalSeconds;
        var left = TimeSpan.FromSeconds(seconds / Math.Max(1, step - _first) * (_steps - step));
        var filled = BarCharacters * step / _steps;
        var metrics = string.Concat(result.Metrics.Select(metric =>
            string.Create(CultureInfo.InvariantCulture, $"  {metric.Name} {metric.Value:F3}")));
        return string.Create(CultureInfo.InvariantCulture,
            $"{title} [{new string('#', filled)}{new string('.', BarCharacters - filled)}] {step}/{_steps}  loss {_loss:F4}{metrics}  ")
            + string.Create(CultureInfo.InvariantCulture, $"{_tokens / seconds:F0} tokens/s  {left:hh\\:mm\\:ss} left");
    }
}
