using System.Buffers.Binary;
using System.Text.Json;

namespace DeRa.Torch.Weights;

/// <summary>
/// Reads and checks the header of a safetensors file: an unsigned 64-bit little-endian length, that many bytes of JSON
/// (tensor name → dtype, shape, data_offsets), then the data, which the tensors cover exactly.
/// Source: the format's description in the safetensors repository.
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>Bytes of the length field.</summary>
    public const int PrefixBytes = 8;

    /// <summary>The longest header that is read. The format allows 100 MB; a decoder's header has some 150 bytes a tensor.</summary>
    public const long MaxHeaderBytes = 16 << 20;

    /// <summary>Most tensors of a checkpoint: a header costs time and memory before any of it is known to be useful.</summary>
    public const int MaxTensors = 1 << 16;

    private const int MaxDimensions = 64;

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 8 };

    /// <summary>Reads the location of every tensor of the file.</summary>
    /// <exception cref="CheckpointException">The header breaks a rule of the format or names a type that is not supported.</exception>
    public static IReadOnlyList<StoredTensor> Read(string path)
    {
        // Before opening it: opening a pipe would wait for a writer.
        var fileBytes = ModelFile.Length(path);
        if (fileBytes < PrefixBytes)
            throw new CheckpointException(path,
                $"not a safetensors file: {fileBytes} bytes, needs at least {PrefixBytes} (pipes and devices have none)");
        using var file = File.OpenHandle(path);
        var headerBytes = ReadLength(path, file, fileBytes);
        var json = new byte[headerBytes];
        for (var done = 0; done < headerBytes;)
        {
            var read = RandomAccess.Read(file, json.AsSpan(done), PrefixBytes + done);
            if (read == 0) throw new CheckpointException(path, "the file ended while its header was read");
            done += read;
        }
        var dataStart = PrefixBytes + headerBytes;
        var tensors = Parse(path, json, dataStart);
        CheckLayout(path, tensors, dataStart, fileBytes);
        return tensors;
    }

    private static int ReadLength(string path, Microsoft.Win32.SafeHandles.SafeFileHandle file, long fileBytes)
    {
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        RandomAccess.Read(file, prefix, 0);
        var length = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        var limit = Math.Min(MaxHeaderBytes, fileBytes - PrefixBytes);
        return length <= (ulong)limit
            ? (int)length
            : throw new CheckpointException(
                path, $"header length {length} is over {limit} bytes (truncated, not a safetensors file, or too many tensors)");
    }

    private static List<StoredTensor> Parse(string path, byte[] json, long dataStart)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new CheckpointException(path, "the header is not a JSON object");
            var tensors = new List<StoredTensor>();
            foreach (var property in document.RootElement.EnumerateObject().Where(property => property.Name != "__metadata__"))
            {
                if (tensors.Count == MaxTensors) throw TooMany(path);
                tensors.Add(ParseTensor(path, property, dataStart));
            }
            return tensors;
        }
        // InvalidOperationException: a name with an unpaired surrogate is valid JSON but not a string.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw new CheckpointException(path, "the header is not valid JSON: " + exception.Message, exception);
        }
    }

    /// <summary>The exception for a checkpoint with too many tensors.</summary>
    public static CheckpointException TooMany(string path) => new(path, $"more than {MaxTensors} tensors; no checkpoint needs so many");

    private static StoredTensor ParseTensor(string path, JsonProperty property, long dataStart)
    {
        CheckpointException Invalid(string problem) => CheckpointException.ForTensor(path, property.Name, problem);

        if (property.Value.ValueKind != JsonValueKind.Object) throw Invalid("its header entry is not an object");
        foreach (var field in property.Value.EnumerateObject())
            if (field.Name is not ("dtype" or "shape" or "data_offsets"))
                throw Invalid($"unknown header field '{field.Name}' (allowed: dtype, shape, data_offsets)");
        var typeName = Text(property.Value, "dtype");
        var bits = StoredTypes.BitsOf(typeName)
            ?? throw Invalid($"dtype {typeName ?? "missing"} is not known (weights may be {StoredTypes.Supported})");
        var shape = Numbers(property.Value, "shape")
            ?? throw Invalid($"shape must be a list of at most {MaxDimensions} whole numbers from 0 to 2^63 - 1");
        if (Numbers(property.Value, "data_offsets") is not [var begin, var end] || begin > end)
            throw Invalid("data_offsets must be two whole numbers, begin and end, with begin ≤ end");
        if (ByteLength(shape, bits) != end - begin)
            throw Invalid($"shape [{string.Join(", ", shape)}] of {typeName} does not fill its {end - begin} bytes");
        if (end > long.MaxValue - dataStart) throw Invalid("data_offsets lie beyond the end of the file");
        return new StoredTensor(property.Name, typeName!, shape, dataStart + begin, end - begin);
    }

    private static string? Text(JsonElement entry, string field) =>
        entry.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A short list of numbers that are not negative, or null where the field is anything else.</summary>
    private static long[]? Numbers(JsonElement entry, string field)
    {
        if (!entry.TryGetProperty(field, out var list) || list.ValueKind != JsonValueKind.Array) return null;
        if (list.GetArrayLength() > MaxDimensions) return null;
        var numbers = new long[list.GetArrayLength()];
        for (var i = 0; i < numbers.Length; i++)
            if (list[i].ValueKind != JsonValueKind.Number || !list[i].TryGetInt64(out numbers[i]) || numbers[i] < 0) return null;
        return numbers;
    }

    /// <summary>Bytes of a tensor of that shape, or −1 where the number overflows or is not whole.</summary>
    private static long ByteLength(long[] shape, int elementBits)
    {
        if (shape.Contains(0)) return 0;
        Int128 bits = elementBits;
        foreach (var dimension in shape)
            if ((bits *= dimension) > long.MaxValue) return -1;
        return bits % 8 == 0 ? (long)(bits / 8) : -1;
    }

    private static void CheckLayout(string path, IReadOnlyList<StoredTensor> tensors, long dataStart, long fileBytes)
    {
        var expected = dataStart;
        foreach (var tensor in tensors.OrderBy(t => t.OffsetBytes).ThenBy(t => t.LengthBytes))
        {
            if (tensor.OffsetBytes + tensor.LengthBytes > fileBytes)
                throw CheckpointException.ForTensor(path, tensor.Name, "its data lies beyond the end of the file (truncated?)");
            if (tensor.OffsetBytes < expected)
                throw CheckpointException.ForTensor(path, tensor.Name, "its data overlaps another tensor's");
            if (tensor.OffsetBytes > expected)
                throw CheckpointException.ForTensor(path, tensor.Name, "bytes before its data belong to no tensor");
            expected += tensor.LengthBytes;
        }
        if (expected != fileBytes)
            throw new CheckpointException(path, $"{fileBytes - expected} bytes at its end belong to no tensor");
    }
}
