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

    /// <summary>The format of texts, and a source of some; for errors.</summary>
    public const string Forms = "Texts are plain text with <|endoftext|> between documents, or .jsonl with "
        + "{\"prompt\": \"…\", \"completion\": \"…\"} a line. TinyStories is such a text: "
        + "TinyStoriesV2-GPT4-valid.txt (22 MB) of https://huggingface.co/datasets/roneneldan/TinyStories";

    /// <summary>Reads several files, in order.</summary>
    /// <exception cref="LabException">A file is missing, holds no text, or a line is not what the format asks for.</exception>
    public static IReadOnlyList<Document> Read(IEnumerable<string> paths, DocumentFields fields) =>
        [.. paths.SelectMany(path => Read(path, fields))];

    /// <summary>Reads one file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="fields">The names of a line's fields; null = the default ones.</param>
    /// <param name="promptSuffices">Whether a line may lack its completion.</param>
    /// <exception cref="LabException">See above.</exception>
    public static IReadOnlyList<Document> Read(string path, DocumentFields? fields = null, bool promptSuffices = false)
    {
        if (!File.Exists(path)) throw new LabException($"{path}: there is no such file. {Forms}");
        Document[] documents = IsJsonLines(path) ? [.. Lines(path, fields ?? new(), promptSuffices)] : [.. Texts(path)];
        return documents.Length > 0 ? documents : throw new LabException($"{path}: holds no text.");
    }

    /// <summary>Whether a file has one JSON document a line.</summary>
    public static bool IsJsonLines(string path) => path.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<Document> Lines(string path, DocumentFields fields, bool promptSuffices) => File.ReadLines(path).Index()
        .Where(line => line.Item.Length > 0)
        .Select(line => Parse($"{path}: line {line.Index + 1}", line.Item, fields, promptSuffices));

    private static IEnumerable<Document> Texts(string path) => File.ReadAllText(path).Split(Separator)
        .Select(text => text.Trim())
        .Where(text => text.Length > 0)
        .Select(text => new Document("", text));

    private static Document Parse(string place, string line, DocumentFields fields, bool promptSuffices)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            var (prompt, text) = (Text(place, root, fields.Prompt), Text(place, root, fields.Completion));
            if (prompt.Length == 0 && fields.RequiresPrompt) throw Lacking(place, root, fields.Prompt, "--prompt-field");
            return text.Length > 0 || (promptSuffices && prompt.Length > 0) ? new Document(prompt, text)
                : throw (promptSuffices ? Lacking(place, root, fields.Prompt, "--prompt-field")
                    : Lacking(place, root, fields.Completion, "--completion-field"));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new LabException($"{place} is not an object with the texts '{fields.Completion}' and, optionally, '{fields.Prompt}': "
                + exception.Message, exception);
        }
    }

    private static LabException Lacking(string place, JsonElement line, string name, string option) => new(
        $"{place} has no text '{name}'; its fields are {string.Join(", ", line.EnumerateObject().Select(field => $"'{field.Name}'"))}, "
        + $"and {option} says which of them it is.");

    private static string Text(string place, JsonElement line, string name) => !line.TryGetProperty(name, out var field) ? ""
        : field.ValueKind is JsonValueKind.String or JsonValueKind.Null ? field.GetString() ?? ""
        : throw new LabException($"{place}: '{name}' is not a text but {(field.ValueKind is JsonValueKind.Array ? "a list"
            : field.ValueKind is JsonValueKind.Object ? "an object" : field.GetRawText())}.");
}

/// <summary>The names of the fields of a <c>.jsonl</c> file's lines.</summary>
/// <param name="Prompt">The field that holds the prompt.</param>
/// <param name="Completion">The field that holds what is learned.</param>
/// <param name="RequiresPrompt">Whether a line must have a prompt, which it must where the field is named explicitly.</param>
internal sealed record DocumentFields(string Prompt = "prompt", string Completion = "completion", bool RequiresPrompt = false);
