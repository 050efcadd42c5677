using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Testing;

/// <summary>
/// Makes a reward model of a golden language model: its head is the row of the embedding that scores one token, so that the golden logit
/// of that token is the golden score.
/// </summary>
public static class ClassifierFolder
{
    /// <summary>Copies a golden folder with tied embeddings and makes a classifier of the copy.</summary>
    /// <param name="folder">Where it goes; empty.</param>
    /// <param name="golden">The golden folder.</param>
    /// <param name="token">The token whose row the head is.</param>
    public static TemporaryFolder Write(TemporaryFolder folder, string golden, int token)
    {
        folder.CopyFrom(golden);
        var config = JsonNode.Parse(File.ReadAllText(Path.Combine(golden, "config.json")))!.AsObject();
        config["architectures"] = new JsonArray(
            ((string)config["architectures"]![0]!).Replace("ForCausalLM", "ForSequenceClassification", StringComparison.Ordinal));
        folder.Write("config.json", config.ToJsonString());
        var indexPath = Path.Combine(folder.Path, "model.safetensors.index.json");
        var places = File.Exists(indexPath) ? JsonNode.Parse(File.ReadAllText(indexPath))!["weight_map"]!.AsObject() : Split(folder);
        const string embedding = "model.embed_tokens.weight";
        var (type, width, row) = Row(Path.Combine(folder.Path, (string)places[embedding]!), embedding, token);
        folder.Write("score.safetensors", FileOf("score.weight", type, width, row));
        places["score.weight"] = "score.safetensors";
        folder.Write("model.safetensors.index.json", new JsonObject { ["weight_map"] = places.DeepClone() }.ToJsonString());
        return folder;
    }

    /// <summary>Makes a shard of the one file, and its part of the index.</summary>
    private static JsonObject Split(TemporaryFolder folder)
    {
        const string shard = "model-1.safetensors";
        File.Move(Path.Combine(folder.Path, "model.safetensors"), Path.Combine(folder.Path, shard));
        var names = Header(File.ReadAllBytes(Path.Combine(folder.Path, shard)), out _).Select(entry => entry.Key)
            .Where(name => name != "__metadata__");
        return new JsonObject(names.Select(name => KeyValuePair.Create(name, (JsonNode?)shard)));
    }

    private static (string Type, int Width, byte[] Row) Row(string path, string name, int index)
    {
        var file = File.ReadAllBytes(path);
        var entry = Header(file, out var data)[name]!;
        var (rows, width) = ((int)entry["shape"]![0]!, (int)entry["shape"]![1]!);
        var (begin, end) = ((int)entry["data_offsets"]![0]!, (int)entry["data_offsets"]![1]!);
        var rowBytes = (end - begin) / rows;
        return ((string)entry["dtype"]!, width, file[(data + begin + index * rowBytes)..(data + begin + (index + 1) * rowBytes)]);
    }

    private static JsonObject Header(byte[] file, out int data)
    {
        var length = (int)BitConverter.ToUInt64(file);
        data = 8 + length;
        return JsonNode.Parse(file.AsSpan(8, length))!.AsObject();
    }

    private static byte[] FileOf(string name, string type, int width, byte[] row)
    {
        var header = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            [name] = new { dtype = type, shape = (int[])[1, width], data_offsets = (int[])[0, row.Length] },
        });
        return [.. BitConverter.GetBytes((ulong)header.Length), .. header, .. row];
    }
}
