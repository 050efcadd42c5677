using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace DeRa.Testing;

/// <summary>Reads the weights of a model folder: a reader of its own, for tests of what is written.</summary>
public static class StoredWeights
{
    /// <summary>All tensors of all files, by name, as float32.</summary>
    public static Dictionary<string, float[]> Read(string folder) => Directory.GetFiles(folder, "*.safetensors")
        .SelectMany(ReadFile).ToDictionary(tensor => tensor.Name, tensor => tensor.Values);

    private static IEnumerable<(string Name, float[] Values)> ReadFile(string path)
    {
        var file = File.ReadAllBytes(path);
        var start = 8 + (int)BitConverter.ToUInt64(file);
        foreach (var (name, entry) in JsonNode.Parse(file.AsSpan(8, start - 8))!.AsObject().Where(entry => entry.Key != "__metadata__"))
        {
            var (begin, end) = (start + (int)entry!["data_offsets"]![0]!, start + (int)entry["data_offsets"]![1]!);
            yield return (name, Values(file.AsSpan(begin, end - begin), (string)entry["dtype"]!));
        }
    }

    private static float[] Values(ReadOnlySpan<byte> bytes, string type)
    {
        var width = type == "F32" ? 4 : 2;
        var values = new float[bytes.Length / width];
        for (var i = 0; i < values.Length; i++)
        {
            var element = bytes[(i * width)..];
            values[i] = type switch
            {
                "F32" => BinaryPrimitives.ReadSingleLittleEndian(element),
                "F16" => (float)BinaryPrimitives.ReadHalfLittleEndian(element),
                "BF16" => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadInt16LittleEndian(element) << 16),
                _ => throw new NotSupportedException(type),
            };
        }
        return values;
    }
}
