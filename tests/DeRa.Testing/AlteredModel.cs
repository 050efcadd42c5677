using System.Text.Json.Nodes;

namespace DeRa.Testing;

/// <summary>Another model of the same family and vocabulary, for pairs: a copy whose last norm is reversed.</summary>
public static class AlteredModel
{
    private const string Norm = "model.norm.weight";

    /// <summary>Copies a folder, and alters the copy.</summary>
    /// <param name="folder">Where it goes; empty.</param>
    /// <param name="source">The folder.</param>
    public static TemporaryFolder Write(TemporaryFolder folder, string source)
    {
        folder.CopyFrom(source);
        var index = Path.Combine(folder.Path, "model.safetensors.index.json");
        var shard = File.Exists(index) ? (string)JsonNode.Parse(File.ReadAllText(index))!["weight_map"]![Norm]! : "model.safetensors";
        var path = Path.Combine(folder.Path, shard);
        var file = File.ReadAllBytes(path);
        var length = (int)BitConverter.ToUInt64(file);
        var entry = JsonNode.Parse(file.AsSpan(8, length))![Norm]!;
        var (begin, end) = (8 + length + (int)entry["data_offsets"]![0]!, 8 + length + (int)entry["data_offsets"]![1]!);
        var width = (end - begin) / (int)entry["shape"]![0]!;
        var altered = file[begin..end].Chunk(width).Reverse().SelectMany(element => element).ToArray();
        altered.CopyTo(file, begin);
        File.WriteAllBytes(path, file);
        return folder;
    }
}
