using System.Text.Json;

namespace DeRa.Torch.Weights;

/// <summary>Reads <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal static class ShardIndex
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Maps tensor names to shard file names, all of which are plain names of files beside the index.</summary>
    /// <exception cref="CheckpointException">The index is not valid, or names a file outside its folder.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out var weights)
                || weights.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(path, "'weight_map' is missing: an object of tensor name → file name is needed");
            return weights.EnumerateObject().ToDictionary(entry => entry.Name, entry => ShardName(path, entry));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, "is not valid JSON: " + exception.Message, exception);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException(path, "cannot be read: " + exception.Message, exception);
        }
    }

    private static string ShardName(string path, JsonProperty entry)
    {
        var name = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
        // Both separators, whatever the system: the index may come from anyone.
        var isPlain = name.EndsWith(".safetensors", StringComparison.Ordinal) && name.AsSpan().IndexOfAny('/', '\\', ':') < 0;
        return isPlain
            ? name
            : throw CheckpointException.ForTensor(
                path, entry.Name, $"shard '{name}' is not allowed: it must be the plain name of a .safetensors file in this folder");
    }
}
