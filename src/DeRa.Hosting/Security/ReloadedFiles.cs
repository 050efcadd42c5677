using DeRa.Hosting.Options;

namespace DeRa.Hosting.Security;

/// <summary>
/// Files that are used together and may change while the server runs. They are read whole and compared: times of change
/// and notifications fail on mounted volumes, where a file is often a link to a link.
/// </summary>
public sealed class ReloadedFiles
{
    private readonly IReadOnlyList<OptionFile> _files;
    private readonly Action<IReadOnlyList<byte[]>> _apply;
    private List<byte[]> _seen;
    private string? _fault;
    private string? _warning;

    /// <summary>Reads the files for the first time.</summary>
    /// <param name="files">Which; at least one.</param>
    /// <param name="apply">
    /// Takes the files' contents into use, or throws and changes nothing; a <see cref="FormatException"/> has a line that names the file.
    /// </param>
    /// <exception cref="OptionException">A file cannot be read or used.</exception>
    public ReloadedFiles(IReadOnlyList<OptionFile> files, Action<IReadOnlyList<byte[]>> apply)
    {
        (_files, _apply) = (files, apply);
        try
        {
            _seen = Read();
            apply(_seen);
        }
        catch (Exception bad)
        {
            throw new OptionException(Line(bad));
        }
    }

    /// <summary>What is to be said now about the content in use, which works but soon may not; null = nothing.</summary>
    public Func<string?> Warning { get; init; } = () => null;

    /// <summary>Takes the files into use again where they have changed; what cannot be used is logged and the old stays in use.</summary>
    public void Refresh(ILogger log)
    {
        try
        {
            var contents = Read();
            var isNew = contents.Where((content, i) => !content.AsSpan().SequenceEqual(_seen[i])).Any();
            if (isNew || _fault is not null) Replace(contents, log);
        }
        catch (Exception bad)
        {
            // Once for each fault, not at every look.
            if (_fault != Line(bad)) HostingLog.FileUnusable(log, Line(bad));
            _fault = Line(bad);
        }
        Warn(log);
    }

    /// <summary>Logs the warning, if there is one that is not yet logged.</summary>
    public void Warn(ILogger log)
    {
        var warning = Warning();
        if (warning is not null && warning != _warning) HostingLog.FileWarning(log, warning);
        _warning = warning;
    }

    private void Replace(List<byte[]> contents, ILogger log)
    {
        _apply(contents);
        (_seen, _fault) = (contents, null);
        HostingLog.FileReread(log, Paths);
    }

    private string Paths => string.Join(", ", _files.Select(file => file.Path));

    /// <summary>An unforeseen fault is reported with its type: its message alone may say too little.</summary>
    private string Line(Exception fault) => fault is FormatException ? fault.Message
        : $"{Paths} cannot be used: {fault.GetType().Name}: {fault.Message.ReplaceLineEndings(" ")}";

    private List<byte[]> Read() => [.. _files.Select(file => file.Read())];
}
