using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Win32.SafeHandles;

namespace DeRa.Cli.Bench.Pairs;

/// <summary>
/// A safetensors file of bfloat16 tensors whose parts are written in any order: 8 bytes of the header's length, the header in JSON,
/// then all elements. Any thread.
/// </summary>
internal sealed class RandomTensorFile : IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly long _dataStart;

    /// <summary>Makes the file, with its header.</summary>
    /// <param name="path">Its path; there is no such file yet.</param>
    /// <param name="tensors">Names and shapes, in the order of their elements.</param>
    public RandomTensorFile(string path, IEnumerable<(string Name, int[] Shape)> tensors)
    {
        var (header, end) = (new JsonObject(), 0L);
        foreach (var (name, shape) in tensors)
        {
            var begin = end;
            end += sizeof(ushort) * Count(shape);
            header[name] = JsonSerializer.SerializeToNode(new { dtype = "BF16", shape, data_offsets = (long[])[begin, end] });
        }
        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        // The format asks for elements aligned to 8 bytes, by blanks after the header.
        var start = new byte[(sizeof(ulong) + json.Length + 7) / 8 * 8];
        start.AsSpan().Fill((byte)' ');
        json.CopyTo(start, sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(start, (ulong)(start.Length - sizeof(ulong)));
        _dataStart = start.Length;
        _file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, preallocationSize: start.Length + end);
        RandomAccess.Write(_file, start, 0);
    }

    /// <summary>Elements of a tensor.</summary>
    public static long Count(int[] shape) => shape.Aggregate(1L, (product, dimension) => product * dimension);

    /// <summary>Writes some elements, little-endian.</summary>
    /// <param name="first">Which element of the file the first of them is.</param>
    /// <param name="elements">Their bytes.</param>
    public void Write(long first, ReadOnlySpan<byte> elements) => RandomAccess.Write(_file, elements, _dataStart + first * sizeof(ushort));

    public void Dispose() => _file.Dispose();
}
