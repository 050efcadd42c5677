namespace DeRa.Hosting.Options;

/// <summary>A file that an option names.</summary>
/// <param name="Option">The option's name, without dashes.</param>
/// <param name="Path">The file.</param>
public readonly record struct OptionFile(string Option, string Path)
{
    /// <summary>Keys, certificates and options are far smaller; what is longer was put there by mistake.</summary>
    private const int MaxBytes = 16 << 20;

    /// <summary>Reads the file whole.</summary>
    /// <exception cref="FormatException">It cannot be read, whatever the reason; one line that names the option.</exception>
    public byte[] Read()
    {
        try
        {
            return ReadRegular();
        }
        catch (Exception fault) when (fault is not FormatException)
        {
            throw new FormatException($"--{Option}: {fault.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <summary>A pipe or a device has no length and may have no end: opening one could wait for ever.</summary>
    private byte[] ReadRegular()
    {
        if (Directory.Exists(Path)) throw new IOException($"'{Path}' is a folder, not a file.");
        var length = ((FileInfo)(File.ResolveLinkTarget(Path, returnFinalTarget: true) ?? new FileInfo(Path))).Length;
        if (length == 0) throw new FormatException($"{Path} (--{Option}) is empty, or not a regular file.");
        if (length > MaxBytes) throw new FormatException($"{Path} (--{Option}) has {length} bytes; at most {MaxBytes} are read.");
        return File.ReadAllBytes(Path);
    }
}
