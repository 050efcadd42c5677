using System.Text.Json;

namespace DeRa.Torch.Weights;

/// <summary>Reads the JSON files of a model folder: no duplicate names, limited depth, an object at the root.</summary>
internal static class StrictJson
{
    private static readonly JsonDocumentOptions Options = new() { AllowDuplicateProperties = false, MaxDepth = 16 };

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="read">Takes the root object, which is disposed of afterwards.</param>
    /// <exception cref="CheckpointException">The file cannot be read or is not such JSON.</exception>
    public static T ReadFile<T>(string path, Func<JsonElement, T> read)
    {
        byte[] json;
        try
        {
            json = ModelFile.ReadAllBytes(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "cannot be read: " + exception.Message, exception);
        }
        return json.Length > 0 ? Parse(path, json, read) : throw new CheckpointException(path, "is empty or not a regular file");
    }

    /// <summary>Parses the content of a file.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <param name="json">UTF-8.</param>
    /// <param name="read">Takes the root object, which is disposed of afterwards.</param>
    /// <exception cref="CheckpointException">It is not such JSON.</exception>
    public static T Parse<T>(string path, ReadOnlyMemory<byte> json, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Options);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new CheckpointException(path, "is not a JSON object");
        }
        // InvalidOperationException: text with an unpaired surrogate is valid JSON but not a string.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, "is not valid JSON: " + exception.Message, exception);
        }
    }
}
