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
    public static IReadOnlyList<Document> Read(IEnumerable<string> paths) => [.. paths.SelectMany(Read)];

    /// <summary>Reads one file.</summary>
    /// <exception cref="LabException">See above.</exception>
    public static IReadOnlyList<Document> Read(string path)
    {
        if (!File.Exists(path)) throw new LabException($"{path}: there is no such file.");
        Document[] documents = path.EndsWith(".jsonl", StringComparison.Ordinal)
            ? [.. File.ReadLines(path).Select((line, index) => (line, index)).Where(l => l.line.Length > 0).Select(l => Parse(path, l.line, l.index))]
            : [.. File.ReadAllText(path).Split(Separator).Select(text => text.Trim()).Where(text => text.Length > 0).Select(text => new Document("", text))];
        return documents.Length > 0 ? documents : throw new LabException($"{path}: holds no text.");
    }

    private static Document Parse(string path, string line, int index)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var prompt = json.RootElement.TryGetProperty("prompt", out var field) ? field.GetString() : "";
            var text = json.RootElement.GetProperty("completion").GetString();
            return string.IsNullOrEmpty(text)
                ? throw new LabException($"{path}: line {index + 1}: 'completion' is empty.")
                : new Document(prompt ?? "", text);
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new LabException(
                $"{path}: line {index + 1} is no object with the texts 'completion' and, optionally, 'prompt': {exception.Message}", exception);
        }
    }
}
