using System.Text;
using System.Text.Json;

namespace DeRa.Torch.Weights;

/// <summary>Reads <c>model.safetensors.index.json</c>: which shard holds which tensor.</summary>
internal static class ShardIndex
{
    /// <summary>The longest name that file systems allow.</summary>
    private const int MaxNameBytes = 255;

    /// <summary>Most shards; published models of a trillion parameters have some 200.</summary>
    private const int MaxShards = 10_000;

    /// <summary>Maps tensor names to shard file names, all of which are plain names of files beside the index.</summary>
    /// <exception cref="CheckpointException">The index is not valid, or names a file outside its folder.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path) => StrictJson.ReadFile(path, index =>
    {
        if (!index.TryGetProperty("weight_map", out var weights) || weights.ValueKind != JsonValueKind.Object)
            throw new CheckpointException(path, "'weight_map' is missing: an object of tensor name → file name is needed");
        var shards = weights.EnumerateObject().ToDictionary(entry => entry.Name, entry => ShardName(path, entry));
        var count = shards.Values.Distinct().Count();
        return count <= MaxShards ? shards : throw new CheckpointException(path, $"names {count} shards; at most {MaxShards} are allowed");
    });

    private static string ShardName(string path, JsonProperty entry)
    {
        if (entry.Value.ValueKind == JsonValueKind.String && entry.Value.GetString() is { } name && IsPlain(name)) return name;
        // The raw JSON: what it escapes must not reach a terminal.
        var raw = entry.Value.GetRawText();
        throw CheckpointException.ForTensor(path, entry.Name, $"shard {(raw.Length <= 100 ? raw : raw[..97] + "...")} is not allowed: "
            + $"it must be the plain name, of at most {MaxNameBytes} bytes, of a .safetensors file in this folder");
    }

    /// <summary>Both separators are refused on every system: the index is untrusted.</summary>
    private static bool IsPlain(string name) =>
        name.EndsWith(".safetensors", StringComparison.Ordinal) && name.AsSpan().IndexOfAny('/', '\\', ':') < 0
        && !name.Any(char.IsControl) && Encoding.UTF8.GetByteCount(name) <= MaxNameBytes;
}
