using DeRa.Text;
using DeRa.Text.Loading;
using DeRa.Torch.Merging;
using DeRa.Torch.Weights;

namespace DeRa.Serving.Merging;

/// <summary>
/// Writes a model between a reference and an aligned one as a folder in Hugging Face layout: under a temporary name beside its own, which
/// it gets when it is complete.
/// </summary>
/// <param name="Reference">The reference model's folder.</param>
/// <param name="Aligned">The aligned model's folder.</param>
/// <param name="Output">The folder to write; absent or empty.</param>
/// <param name="Strength">s of (1 − s)·reference + s·aligned.</param>
public sealed record ModelMerge(string Reference, string Aligned, string Output, double Strength)
{
    /// <summary>
    /// What a served pair takes from the aligned model, where it has it: tokenizer, chat template, defaults. All else is the reference's.
    /// </summary>
    private static readonly string[] s_fromAligned =
    [
        "tokenizer.json", "tokenizer_config.json", "tokenizer.model", "special_tokens_map.json", "added_tokens.json", "vocab.json",
        "merges.txt", "chat_template.jinja", "generation_config.json",
    ];

    private static readonly string[] s_copied = [".json", ".txt", ".model", ".jinja"];

    /// <summary>Writes it.</summary>
    /// <param name="progress">Receives bytes of weights written and to write; may be null.</param>
    /// <param name="cancellation">Stops it; nothing is left then.</param>
    /// <returns>Bytes of weights.</returns>
    /// <exception cref="CheckpointException">A model cannot be served, the two do not fit, or the folder cannot be written.</exception>
    /// <exception cref="TokenizerException">A tokenizer cannot be served.</exception>
    /// <exception cref="FormatException">There is no such place, or something is there; or the vocabularies differ.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public long Write(IProgress<LoadProgress>? progress, CancellationToken cancellation)
    {
        var output = Path.TrimEndingDirectorySeparator(Path.GetFullPath(Output));
        CheckPlace(output);
        using var merge = WeightMerge.Open(Reference, Aligned);
        CheckVocabularies();
        var temporary = $"{output}.{Environment.ProcessId}.tmp";
        try
        {
            Directory.CreateDirectory(temporary);
            long written = 0;
            merge.Write(temporary, Strength, bytes => progress?.Report(
                new LoadProgress(Path.GetFileName(output), written += bytes, merge.DataBytes)), cancellation);
            foreach (var (name, source) in Files()) File.Copy(source, Path.Combine(temporary, name));
            if (Directory.Exists(output)) Directory.Delete(output);
            Directory.Move(temporary, output);
            return merge.DataBytes;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(output, "cannot be written: " + failure.Message, failure);
        }
        finally
        {
            // A folder that was moved is not there any more.
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }

    private static void CheckPlace(string output)
    {
        if (File.Exists(output)) throw new FormatException($"--output: {output} is a file; it must be a folder");
        if (Directory.Exists(output) && Directory.EnumerateFileSystemEntries(output).Any())
            throw new FormatException($"--output: {output} is there already and not empty");
        if (Path.GetDirectoryName(output) is { } parent && !Directory.Exists(parent))
            throw new FormatException($"--output: there is no folder {parent}");
    }

    private void CheckVocabularies()
    {
        var (reference, aligned) = (TokenizerLoader.Load(Reference), TokenizerLoader.Load(Aligned));
        var ids = Math.Max(reference.VocabularySize, aligned.VocabularySize);
        if (TokenizerComparison.FirstDifference(reference, aligned, ids) is { } difference)
            throw new FormatException($"--aligned: the vocabularies differ, so that weights cannot be merged: {difference}");
    }

    /// <summary>All files but the weights and their index, by name.</summary>
    private Dictionary<string, string> Files()
    {
        var files = Of(Reference).Where(file => s_copied.Contains(Path.GetExtension(file))
            && !file.EndsWith(".index.json", StringComparison.Ordinal)).ToDictionary(file => Path.GetFileName(file)!);
        foreach (var file in Of(Aligned).Where(file => s_fromAligned.Contains(Path.GetFileName(file))))
            files[Path.GetFileName(file)] = file;
        return files;
    }

    private static string[] Of(string folder) => Directory.GetFiles(folder);
}
