namespace DeRa.Text;

/// <summary>
/// Opens files of a model's folder, which may come from anyone. What has no length is read as empty and never opened: opening a
/// pipe would wait for a writer for ever, and a device has no end.
/// </summary>
public static class ModelFile
{
    /// <summary>Most bytes of a file that is read whole. Tokenizers of large vocabularies take some 40 MB.</summary>
    public const int MaxBytes = 256 << 20;

    /// <summary>Bytes of a file, links followed; 0 for a pipe or a device.</summary>
    /// <exception cref="IOException">There is no such file, or it is a directory.</exception>
    public static long Length(string path) => new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length;

    /// <summary>Opens a file of at most <see cref="MaxBytes"/>.</summary>
    /// <exception cref="IOException">It is absent, a directory or too long.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static Stream OpenRead(string path) => Length(path) switch
    {
        0 => Stream.Null,
        > MaxBytes and var bytes => throw new IOException($"It has {bytes} bytes; at most {MaxBytes} are allowed."),
        _ => File.OpenRead(path),
    };

    /// <summary>Reads a whole file of at most <see cref="MaxBytes"/>.</summary>
    /// <exception cref="IOException">It is absent, a directory or too long.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] ReadAllBytes(string path)
    {
        using var stream = OpenRead(path);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}
