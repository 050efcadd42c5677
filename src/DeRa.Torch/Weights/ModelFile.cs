namespace DeRa.Torch.Weights;

/// <summary>
/// Reads files of a model's folder, which may come from anyone. What has no length is read as empty and never opened: opening a
/// pipe would wait for a writer for ever, and a device has no end.
/// </summary>
internal static class ModelFile
{
    /// <summary>Most bytes of a file that is read whole: configurations, headers, golden logits.</summary>
    private const int MaxBytes = 256 << 20;

    /// <summary>Bytes of a file, links followed; 0 for a pipe or a device.</summary>
    /// <exception cref="IOException">There is no such file, or it is a directory.</exception>
    public static long Length(string path) => new FileInfo(File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path).Length;

    /// <summary>Reads a whole file.</summary>
    /// <exception cref="IOException">It is absent, a directory, or has more than 256 MiB.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] ReadAllBytes(string path) => Length(path) switch
    {
        0 => [],
        > MaxBytes and var bytes => throw new IOException($"It has {bytes} bytes; at most {MaxBytes} are allowed."),
        _ => File.ReadAllBytes(path),
    };
}
