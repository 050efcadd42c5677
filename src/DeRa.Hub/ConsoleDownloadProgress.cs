using System.Globalization;

namespace DeRa.Hub;

/// <summary>
/// Shows a bar on one line of a terminal, or where there is no terminal a line for each finished file and for each tenth of a
/// long download. Any thread; disposing ends the line.
/// </summary>
/// <param name="output">Where it is written.</param>
/// <param name="isTerminal">Whether that is a terminal, on which a line can be written over.</param>
public sealed class ConsoleDownloadProgress(TextWriter output, bool isTerminal) : IProgress<DownloadProgress>, IDisposable
{
    private const int BarWidth = 24;

    /// <summary>From this length on a download takes more than seconds, and its parts are reported.</summary>
    private const long LongBytes = 100_000_000;

    private readonly Lock _gate = new();
    private string? _model;
    private string _line = "";
    private long _tenths;

    /// <inheritdoc/>
    public void Report(DownloadProgress value)
    {
        lock (_gate)
        {
            if (isTerminal) ShowBar(value);
            else ShowLine(value);
        }
    }

    /// <summary>Shows a sentence on a line of its own.</summary>
    public void Note(string text)
    {
        lock (_gate)
        {
            EndLine();
            output.WriteLine(text);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate) EndLine();
    }

    private void ShowLine(DownloadProgress value)
    {
        if (_model != value.Model) (_model, _tenths) = (value.Model, 0);
        if (value.FileBytes == value.FileTotalBytes) output.WriteLine($"{value.Model}: {value.File}, {Size(value.FileBytes)}");
        var tenths = 10 * value.DownloadedBytes / Math.Max(1, value.TotalBytes);
        if (value.TotalBytes < LongBytes || tenths <= _tenths || tenths >= 10) return;
        _tenths = tenths;
        output.WriteLine($"{value.Model}: {10 * tenths} %, {Size(value.DownloadedBytes)} of {Size(value.TotalBytes)}");
    }

    private void ShowBar(DownloadProgress value)
    {
        if (_model != value.Model) EndLine();
        _model = value.Model;
        var share = Math.Min(1, (double)value.DownloadedBytes / Math.Max(1, value.TotalBytes));
        var filled = (int)(BarWidth * share);
        var line = $"{value.Model} [{new string('#', filled)}{new string('.', BarWidth - filled)}] {(int)(100 * share),3} %  "
            + $"{Size(value.DownloadedBytes)} of {Size(value.TotalBytes)}";
        if (line == _line) return;
        output.Write($"\r{line.PadRight(_line.Length)}");
        _line = line;
    }

    private void EndLine()
    {
        if (_line.Length > 0) output.WriteLine();
        _line = "";
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
    };
}
