using System.Globalization;

namespace DeRa.Hub;

/// <summary>
/// Shows a bar on one line of a terminal, or a line for each finished file where there is no terminal. Any thread; disposing
/// ends the line.
/// </summary>
/// <param name="output">Where it is written.</param>
/// <param name="isTerminal">Whether that is a terminal, on which a line can be written over.</param>
public sealed class ConsoleDownloadProgress(TextWriter output, bool isTerminal) : IProgress<DownloadProgress>, IDisposable
{
    private const int BarWidth = 24;
    private readonly Lock _gate = new();
    private string? _model;
    private string _line = "";

    /// <inheritdoc/>
    public void Report(DownloadProgress value)
    {
        lock (_gate)
        {
            if (isTerminal) ShowBar(value);
            else if (value.FileBytes == value.FileTotalBytes)
                output.WriteLine($"{value.Model}: {value.File}, {Size(value.FileTotalBytes)}");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate) EndLine();
    }

    private void ShowBar(DownloadProgress value)
    {
        if (_model is not null && _model != value.Model) EndLine();
        _model = value.Model;
        var share = (double)value.DownloadedBytes / Math.Max(1, value.TotalBytes);
        var filled = (int)(BarWidth * share);
        var line = $"{value.Model} [{new string('#', filled)}{new string('.', BarWidth - filled)}] {(int)(100 * share),3} %  "
            + $"{Size(value.DownloadedBytes)} of {Size(value.TotalBytes)}";
        if (line == _line) return;
        output.Write($"\r{line.PadRight(_line.Length)}");
        _line = line;
    }

    private void EndLine()
    {
        if (_model is null) return;
        output.WriteLine();
        (_model, _line) = (null, "");
    }

    private static string Size(long bytes) => bytes switch
    {
        < 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        < 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
    };
}
