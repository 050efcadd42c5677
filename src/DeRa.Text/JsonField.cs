using System.Text.Json;

namespace DeRa.Text;

/// <summary>A value in a JSON file that knows its file and its place there, so that every complaint names both.</summary>
internal readonly struct JsonField
{
    private readonly JsonElement _value;
    private readonly string _file;
    private readonly string _path;

    private JsonField(JsonElement value, string file, string path) => (_value, _file, _path) = (value, file, path);

    /// <summary>Reads a whole file whose outermost value is an object.</summary>
    /// <exception cref="TokenizerException">The file cannot be read or is not a JSON object.</exception>
    public static JsonField ReadFile(string path)
    {
        try
        {
            using var stream = ModelFile.OpenRead(path);
            var root = JsonSerializer.Deserialize<JsonElement>(stream, JsonSerializerOptions.Default);
            return new JsonField(root, path, "").Expect(JsonValueKind.Object, "an object");
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new TokenizerException($"{path}: cannot be read as JSON: {error.Message}", error);
        }
    }

    /// <summary>The same for a file that may be absent: null.</summary>
    public static JsonField? ReadFileIfPresent(string path) => File.Exists(path) ? ReadFile(path) : null;

    /// <summary>The field of that name, which must be there and not null.</summary>
    public JsonField this[string name] => Find(name) ?? throw Error($"has no field '{name}'");

    /// <summary>The field of that name, or null where it is absent or null.</summary>
    public JsonField? Find(string name) =>
        Expect(JsonValueKind.Object, "an object")._value.TryGetProperty(name, out var value)
        && value.ValueKind != JsonValueKind.Null
            ? new JsonField(value, _file, _path.Length == 0 ? name : $"{_path}.{name}")
            : null;

    /// <summary>Refuses fields other than these, so that nothing a file asks for is passed over.</summary>
    public JsonField AllowOnly(params ReadOnlySpan<string> names)
    {
        foreach (var property in Expect(JsonValueKind.Object, "an object")._value.EnumerateObject())
            if (!names.Contains(property.Name) && property.Value.ValueKind != JsonValueKind.Null)
                throw Error($"has a field '{property.Name}', which is not implemented (implemented: {string.Join(", ", names)})");
        return this;
    }

    /// <summary>The fields of an object, in the file's order.</summary>
    public IEnumerable<(string Name, JsonField Value)> Fields()
    {
        foreach (var property in Expect(JsonValueKind.Object, "an object")._value.EnumerateObject())
        {
            var name = WellFormed(() => property.Name);
            yield return (name, new JsonField(property.Value, _file, $"{_path}.{name}"));
        }
    }

    /// <summary>The items of an array.</summary>
    public IEnumerable<JsonField> Items()
    {
        var index = 0;
        foreach (var item in Expect(JsonValueKind.Array, "a list")._value.EnumerateArray())
            yield return new JsonField(item, _file, $"{_path}[{index++}]");
    }

    public bool IsList => _value.ValueKind == JsonValueKind.Array;

    public bool IsObject => _value.ValueKind == JsonValueKind.Object;

    public bool IsText => _value.ValueKind == JsonValueKind.String;

    public string Text()
    {
        var value = Expect(JsonValueKind.String, "a text")._value;
        return WellFormed(() => value.GetString()!);
    }

    public bool Flag() => _value.ValueKind is JsonValueKind.True or JsonValueKind.False
        ? _value.GetBoolean()
        : throw Error($"must be true or false, not {_value.ValueKind}");

    public int Integer(int minimum, int maximum) =>
        _value.ValueKind == JsonValueKind.Number && _value.TryGetInt32(out var number)
        && number >= minimum && number <= maximum
            ? number
            : throw Error($"must be an integer from {minimum} to {maximum}, not {_value.GetRawText()}");

    public double Number(double minimum, double maximum) =>
        _value.ValueKind == JsonValueKind.Number && _value.TryGetDouble(out var number)
        && number >= minimum && number <= maximum
            ? number
            : throw Error($"must be a number from {minimum} to {maximum}, not {_value.GetRawText()}");

    /// <summary>A complaint about this value.</summary>
    public TokenizerException Error(string complaint) =>
        new(_path.Length == 0 ? $"{_file}: {complaint}" : $"{_file}: {_path} {complaint}");

    /// <summary>A complaint that something in the file is not implemented, saying what is.</summary>
    public TokenizerException Refuse(string what, string implemented) =>
        Error($"asks for {what}, which is not implemented (implemented: {implemented})");

    /// <summary>A JSON text may escape half a surrogate pair, which is no text.</summary>
    private string WellFormed(Func<string> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            throw Error("holds a text with half a surrogate pair");
        }
    }

    private JsonField Expect(JsonValueKind kind, string name) =>
        _value.ValueKind == kind ? this : throw Error($"must be {name}, not {_value.ValueKind}");
}
