using System.Buffers.Binary;
using System.Text;

namespace DeRa.Testing;

/// <summary>
/// Reads a GGUF file, written from the format's specification and nothing of the program's. Every violation of the specification that
/// it can see fails.
/// </summary>
public sealed class GgufReader
{
    private const int DefaultAlignment = 32;
    private readonly byte[] _file;
    private int _at;

    public GgufReader(string path)
    {
        _file = File.ReadAllBytes(path);
        Require(Encoding.ASCII.GetString(_file, 0, 4) == "GGUF", "magic");
        _at = 4;
        Require(UInt32() == 3, "version");
        var (tensors, keys) = (UInt64(), UInt64());
        for (long i = 0; i < keys; i++) Metadata.Add(Text(), Value(UInt32()));
        var infos = new List<(string Name, long[] Shape, uint Type, long Offset)>();
        for (long i = 0; i < tensors; i++)
        {
            var name = Text();
            var shape = Enumerable.Range(0, (int)UInt32()).Select(_ => UInt64()).Reverse().ToArray();
            infos.Add((name, shape, UInt32(), UInt64()));
        }
        var alignment = Metadata.TryGetValue("general.alignment", out var value) ? (int)(uint)value : DefaultAlignment;
        long start = Aligned(_at, alignment), end = start;
        foreach (var (name, shape, type, offset) in infos)
        {
            Require(offset % alignment == 0 && start + offset == end, $"{name} begins at {offset}");
            var elements = shape.Aggregate(1L, (all, size) => all * size);
            var bytes = elements * type switch { 0 => 4, 1 or 30 => 2, _ => throw new InvalidDataException($"{name}: type {type}") };
            Tensors.Add(name, new GgufTensorData(shape, type, _file.AsMemory((int)(start + offset), (int)bytes)));
            end = Aligned(start + offset + bytes, alignment);
        }
        Require(end == _file.Length, $"data ends at {end} of {_file.Length}");
    }

    /// <summary>Values by key: uint, int, float, bool, string, or a list of such.</summary>
    public Dictionary<string, object> Metadata { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, GgufTensorData> Tensors { get; } = new(StringComparer.Ordinal);

    public IReadOnlyList<object> List(string key) => (List<object>)Metadata[key];

    private static long Aligned(long at, int alignment) => (at + alignment - 1) / alignment * alignment;

    private object Value(uint type) => type switch
    {
        4 => UInt32(),
        5 => (int)UInt32(),
        6 => BitConverter.UInt32BitsToSingle(UInt32()),
        7 => _file[_at++] switch { 0 => false, 1 => true, var other => throw new InvalidDataException($"a Boolean is {other}") },
        8 => Text(),
        9 => Items(UInt32(), UInt64()),
        _ => throw new InvalidDataException($"a value of type {type}"),
    };

    private List<object> Items(uint type, long count)
    {
        var items = new List<object>();
        for (long i = 0; i < count; i++) items.Add(Value(type));
        return items;
    }

    private string Text()
    {
        var length = (int)UInt64();
        var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(_file, _at, length);
        _at += length;
        return text;
    }

    private uint UInt32()
    {
        _at += 4;
        return BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(_at - 4));
    }

    private long UInt64()
    {
        _at += 8;
        return checked((long)BinaryPrimitives.ReadUInt64LittleEndian(_file.AsSpan(_at - 8)));
    }

    private static void Require(bool condition, string what)
    {
        if (!condition) throw new InvalidDataException($"not a GGUF file of version 3: {what}");
    }
}

/// <summary>A tensor of a GGUF file.</summary>
/// <param name="Shape">Outermost dimension first.</param>
/// <param name="Type">The format's number: 0 float32, 1 float16, 30 bfloat16.</param>
/// <param name="Bytes">Its data, row-major.</param>
public sealed record GgufTensorData(long[] Shape, uint Type, ReadOnlyMemory<byte> Bytes)
{
    /// <summary>Its elements.</summary>
    public float[] Floats()
    {
        var numbers = new float[Shape.Aggregate(1L, (all, size) => all * size)];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = Type switch
            {
                0 => BitConverter.ToSingle(Bytes.Span[(4 * i)..]),
                1 => (float)BitConverter.ToHalf(Bytes.Span[(2 * i)..]),
                _ => BitConverter.Int32BitsToSingle(BitConverter.ToInt16(Bytes.Span[(2 * i)..]) << 16),
            };
        return numbers;
    }
}
