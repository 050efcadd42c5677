using System.Text;

namespace DeRa.Torch.Gguf;

/// <summary>
/// Keys and values of a GGUF file, encoded as they are added. Source: the GGUF specification, version 3. Not thread-safe.
/// </summary>
public sealed class GgufMetadata : IDisposable
{
    private const uint TypeUInt32 = 4, TypeInt32 = 5, TypeFloat32 = 6, TypeBool = 7, TypeString = 8, TypeArray = 9;

    private readonly MemoryStream _bytes = new();
    private readonly BinaryWriter _writer;

    /// <summary>No keys.</summary>
    public GgufMetadata() => _writer = new BinaryWriter(_bytes);

    /// <summary>How many keys there are.</summary>
    public int Count { get; private set; }

    /// <summary>How many bytes they take.</summary>
    public long LengthBytes => _bytes.Length;

    /// <summary>Adds a text.</summary>
    /// <param name="key">Segments in lower snake case, separated by dots; not yet added.</param>
    /// <param name="value">The value.</param>
    public GgufMetadata Add(string key, string value)
    {
        Begin(key, TypeString);
        WriteString(_writer, value);
        return this;
    }

    /// <summary>Adds a whole number, at least 0.</summary>
    /// <inheritdoc cref="Add(string, string)"/>
    public GgufMetadata Add(string key, int value)
    {
        Begin(key, TypeUInt32);
        _writer.Write(checked((uint)value));
        return this;
    }

    /// <summary>Adds a number; it is stored in float32.</summary>
    /// <inheritdoc cref="Add(string, string)"/>
    public GgufMetadata Add(string key, double value)
    {
        Begin(key, TypeFloat32);
        _writer.Write((float)value);
        return this;
    }

    /// <summary>Adds a Boolean.</summary>
    /// <inheritdoc cref="Add(string, string)"/>
    public GgufMetadata Add(string key, bool value)
    {
        Begin(key, TypeBool);
        _writer.Write((byte)(value ? 1 : 0));
        return this;
    }

    /// <summary>Adds a list of texts.</summary>
    /// <inheritdoc cref="Add(string, string)"/>
    public GgufMetadata Add(string key, IReadOnlyList<string> value)
    {
        BeginArray(key, TypeString, value.Count);
        foreach (var item in value) WriteString(_writer, item);
        return this;
    }

    /// <summary>Adds a list of numbers in float32.</summary>
    /// <inheritdoc cref="Add(string, string)"/>
    public GgufMetadata Add(string key, IReadOnlyList<float> value)
    {
        BeginArray(key, TypeFloat32, value.Count);
        foreach (var item in value) _writer.Write(item);
        return this;
    }

    /// <summary>Adds a list of whole numbers.</summary>
    /// <inheritdoc cref="Add(string, string)"/>
    public GgufMetadata Add(string key, IReadOnlyList<int> value)
    {
        BeginArray(key, TypeInt32, value.Count);
        foreach (var item in value) _writer.Write(item);
        return this;
    }

    /// <inheritdoc/>
    public void Dispose() => _writer.Dispose();

    /// <summary>Writes them all.</summary>
    internal void WriteTo(Stream stream) => _bytes.WriteTo(stream);

    /// <summary>A text: the number of its bytes in 64 bits, then UTF-8.</summary>
    internal static void WriteString(BinaryWriter writer, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        writer.Write((ulong)bytes.Length);
        writer.Write(bytes);
    }

    private void Begin(string key, uint type)
    {
        WriteString(_writer, key);
        _writer.Write(type);
        Count++;
    }

    private void BeginArray(string key, uint itemType, int count)
    {
        Begin(key, TypeArray);
        _writer.Write(itemType);
        _writer.Write((ulong)count);
    }
}
