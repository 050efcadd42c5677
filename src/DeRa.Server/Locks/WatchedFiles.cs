using DeRa.Server.Options;

namespace DeRa.Server.Locks;

/// <summary>A file that an option names.</summary>
/// <param name="Option">The option's name, without dashes.</param>
/// <param name="Path">The file.</param>
internal readonly record struct OptionFile(string Option, string Path);

/// <summary>
/// Files that are used together and may change while the server runs. They are read whole and compared: times of change
/// and notifications fail on mounted volumes, where a file is often a link to a link.
/// </summary>
internal sealed class WatchedFiles
{
    private readonly IReadOnlyList<OptionFile> _files;
    private readonly Action<IReadOnlyList<byte[]>> _apply;
    private List<byte[]> _seen;
    private string? _fault;

    /// <summary>Reads the files for the first time.</summary>
    /// <param name="files">Which; at least one.</param>
    /// <param name="apply">
    /// Takes the files' contents into use, or throws <see cref="FormatException"/> with a line that names the file and changes nothing.
    /// </param>
    /// <exception cref="OptionException">A file cannot be read or used.</exception>
    public WatchedFiles(IReadOnlyList<OptionFile> files, Action<IReadOnlyList<byte[]>> apply)
    {
        (_files, _apply) = (files, apply);
        try
        {
            _seen = Read();
            apply(_seen);
        }
        catch (FormatException bad)
        {
            throw new OptionException(bad.Message);
        }
    }

    /// <summary>Takes the files into use again where they have changed; what cannot be used is logged and the old stays in use.</summary>
    public void Refresh(ILogger log)
    {
        try
        {
            var contents = Read();
            var isNew = contents.Where((content, i) => !content.AsSpan().SequenceEqual(_seen[i])).Any();
            if (!isNew && _fault is null) return;
            _apply(contents);
            (_seen, _fault) = (contents, null);
            ServerLog.FileReread(log, string.Join(", ", _files.Select(file => file.Path)));
        }
        catch (FormatException bad)
        {
            // Once for each fault, not at every look.
            if (_fault != bad.Message) ServerLog.FileUnusable(log, bad.Message);
            _fault = bad.Message;
        }
    }

    private List<byte[]> Read() => [.. _files.Select(Read)];

    private static byte[] Read(OptionFile file)
    {
        try
        {
            return File.ReadAllBytes(file.Path);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"--{file.Option}: {fault.Message}");
        }
    }
}
