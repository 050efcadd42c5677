using DeRa.Torch.Gguf;
using DeRa.Torch.Native;
using DeRa.Torch.Weights;

namespace DeRa.Serving.Gguf;

/// <summary>
/// Writes a model as a GGUF file for llama.cpp: under a temporary name beside its own, which it gets when it is complete.
/// </summary>
/// <param name="Folder">A folder in Hugging Face layout.</param>
/// <param name="Output">The file.</param>
/// <param name="Type">Type of the matrices; auto is the one that the model is served in.</param>
/// <param name="Overwrites">Whether a file of that name is replaced.</param>
public sealed record GgufExporter(string Folder, string Output, DTypeOption Type, bool Overwrites)
{
    /// <summary>Writes it.</summary>
    /// <param name="name">The model's name.</param>
    /// <param name="progress">Receives bytes of data written and to write; may be null.</param>
    /// <param name="cancellation">Stops it; nothing is left then.</param>
    /// <exception cref="CheckpointException">
    /// The model cannot be served or not written as GGUF, there is not enough space, or the file cannot be written.
    /// </exception>
    /// <exception cref="DeRa.Text.TokenizerException">Its tokenizer cannot be served.</exception>
    /// <exception cref="FormatException">There is no such place for a file, or one is there already.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public GgufExported Export(string name, IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        using var export = GgufExport.Open(Folder, Type);
        var tokenizer = GgufTokenizer.Read(Folder, export.Config.VocabularySize);
        using var metadata = new GgufMetadata();
        export.Describe(metadata, name);
        tokenizer.AddTo(metadata);
        var output = Path.GetFullPath(Output);
        CheckPlace(output, export.DataBytes + metadata.LengthBytes);
        Write(output, temporary => export.Write(temporary, metadata, Reported(name, export.DataBytes, progress), cancellation));
        return new GgufExported(new FileInfo(output).Length, export.ElementType, [.. export.Notes, .. tokenizer.Notes]);
    }

    private static Action<long> Reported(string name, long total, IProgress<LoadProgress>? progress)
    {
        long written = 0;
        return bytes => progress?.Report(new LoadProgress(name, written += bytes, total));
    }

    private void Write(string output, Action<Stream> write)
    {
        var temporary = $"{output}.{Environment.ProcessId}.tmp";
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write)) write(file);
            File.Move(temporary, output, Overwrites);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(output, "cannot be written: " + failure.Message, failure);
        }
        finally
        {
            // Of a file that was moved there is none; of a folder that cannot be written neither.
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    private void CheckPlace(string output, long bytes)
    {
        if (Directory.Exists(output)) throw new FormatException($"--output: {output} is a folder; it must be a file");
        if (File.Exists(output) && !Overwrites) throw new FormatException($"--output: {output} is there already; --force replaces it");
        var folder = Path.GetDirectoryName(output)!;
        if (!Directory.Exists(folder)) throw new FormatException($"--output: there is no folder {folder}");
        if (FreeBytes(folder) is { } free && free < bytes)
            throw new CheckpointException(output, $"{folder} has {free >> 20} MiB free; the file takes {(bytes >> 20) + 1} MiB");
    }

    /// <summary>Null where it cannot be asked, as on a network share on Windows.</summary>
    private static long? FreeBytes(string folder)
    {
        try
        {
            return new DriveInfo(folder).AvailableFreeSpace;
        }
        catch (Exception unknown) when (unknown is ArgumentException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}

/// <summary>A file that was written.</summary>
/// <param name="LengthBytes">Its length.</param>
/// <param name="ElementType">Type of its matrices, such as bfloat16.</param>
/// <param name="Notes">What llama.cpp computes or reads differently, a sentence each.</param>
public sealed record GgufExported(long LengthBytes, string ElementType, IReadOnlyList<string> Notes);
