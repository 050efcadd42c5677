using System.Text.Json;

namespace DeRa.Lab.Data;

/// <summary>
/// Reads training texts: <c>.jsonl</c> with one <c>{"prompt": "…", "completion": "…"}</c> a line, or plain text in which
/// <c>&lt;|endoftext|&gt;</c> separates documents.
/// </summary>
internal static class DocumentFile
{
    /// <summary>Separates documents in plain text.</summary>
    public const string Separator = "<|endoftext|>";

    /// <summary>Reads several files, in order.</summary>
    /// <exception cref="LabException">A file is missing, holds no text, or a line is not what the format asks for.</exception>
    public static IReadOnlyList<Document> Read(IEnumerable<string> paths) => [.. paths.SelectMany(path => Read(path))];

    /// <summary>Reads one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="promptSuffices">Whether a line may lack its completion.</param>
    /// <exception cref="LabException">See above.</exception>
    public static IReadOnlyList<Document> Read(string path, bool promptSuffices = false)
    {
        if (!File.Exists(path)) throw new LabException($"{path}: there is no such file.");
        Document[] documents = path.EndsWith(".jsonl", StringComparison.Ordinal) ? [.. Lines(path, promptSuffices)] : [.. Texts(path)];
        return documents.Length > 0 ? documents : throw new LabException($"{path}: holds no text.");
    }

    private static IEnumerable<Document> Lines(string path, bool promptSuffices) => File.ReadLines(path).Index()
        .Where(line => line.Item.Length > 0)
        .Select(line => Parse(path, line.Item, line.Index, promptSuffices));

    private static IEnumerable<Document> Texts(string path) => File.ReadAllText(path).Split(Separator)
        .Select(text => text.Trim())
        .Where(text => text.Length > 0)
        .Select(text => new Document("", text));

    private static Document Parse(string path, string line, int index, bool promptSuffices)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var (prompt, text) = (Text(json.RootElement, "prompt"), Text(json.RootElement, "completion"));
            return text.Length > 0 || (promptSuffices && prompt.Length > 0)
                ? new Document(prompt, text)
                : throw new LabException($"{path}: line {index + 1}: {(promptSuffices ? "'prompt'" : "'completion'")} is empty.");
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new LabException(
                $"{path}: line {index + 1} is no object with the texts 'completion' and, optionally, 'prompt': {exception.Message}",
                exception);
        }
    }

    private static string Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var field) ? field.GetString() ?? "" : "";
}
