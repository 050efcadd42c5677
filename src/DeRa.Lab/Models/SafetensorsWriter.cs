using System.Buffers.Binary;
using System.Text.Json;
using DeRa.Torch.Weights;
using static TorchSharp.torch;

namespace DeRa.Lab.Models;

/// <summary>Writes a safetensors file: a 64-bit little-endian header length, the header in JSON, the tensors' bytes.</summary>
internal static class SafetensorsWriter
{
    /// <summary>
    /// Writes tensors in the given element type, through a temporary file, so that an interruption leaves the old file intact.
    /// </summary>
    /// <param name="path">Where.</param>
    /// <param name="tensors">Names and tensors on any device.</param>
    /// <param name="type">Float32, BFloat16 or Float16.</param>
    public static void Write(string path, IReadOnlyList<KeyValuePair<string, Tensor>> tensors, ScalarType type)
    {
        var temporary = path + ".tmp";
        using (var file = File.Create(temporary))
        {
            var header = Header(tensors, type);
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            file.Write(length);
            file.Write(header);
            foreach (var (_, tensor) in tensors) WriteBytes(file, tensor, type);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
    }

    private static void WriteBytes(FileStream file, Tensor tensor, ScalarType type)
    {
        using var scope = NewDisposeScope();
        file.Write(tensor.detach().to(type).cpu().contiguous().bytes);
    }

    private static byte[] Header(IReadOnlyList<KeyValuePair<string, Tensor>> tensors, ScalarType type)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            json.WriteStartObject("__metadata__");
            json.WriteString("format", "pt");
            json.WriteEndObject();
            long offset = 0;
            foreach (var (name, tensor) in tensors)
            {
                var end = offset + tensor.numel() * StoredTypes.SizeBytes(type);
                json.WriteStartObject(name);
                json.WriteString("dtype", NameOf(type));
                json.WriteStartArray("shape");
                foreach (var size in tensor.shape) json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                offset = end;
            }
            json.WriteEndObject();
        }
        // Readers map the file: the data begins at a multiple of 8.
        while (text.Length % 8 != 0) text.WriteByte((byte)' ');
        return text.ToArray();
    }

    private static string NameOf(ScalarType type) => type switch
    {
        ScalarType.Float32 => "F32",
        ScalarType.BFloat16 => "BF16",
        ScalarType.Float16 => "F16",
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, StoredTypes.Supported),
    };
}
