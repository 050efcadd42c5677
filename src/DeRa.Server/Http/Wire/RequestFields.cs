using System.Text.Json;
using DeRa.Engine.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>The fields of a request body, by name and type. A field that is null counts as not set.</summary>
internal sealed class RequestFields
{
    /// <summary>Unknown fields that are ignored; each costs a comparison with every known one.</summary>
    private const int MaxIgnored = 64;

    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly List<string> _ignored = [];

    /// <summary>Sorts the fields of a body by what the endpoint does with them.</summary>
    /// <exception cref="InvalidRequestException">A field that does not work here, one that was probably misspelt, or too many unknown ones.</exception>
    public RequestFields(JsonElement body, FieldTable table)
    {
        foreach (var field in body.EnumerateObject())
        {
            var name = FieldText.Name(field);
            if (table.Judge(name, field.Value)) _fields[name] = field.Value;
            else Ignore(name);
        }
    }

    /// <summary>Fields that nobody here knows, each named once.</summary>
    public IReadOnlyList<string> Ignored => _ignored;

    /// <summary>Takes note of a field that nobody here knows.</summary>
    /// <exception cref="InvalidRequestException">There are too many of them.</exception>
    public void Ignore(string name)
    {
        if (_ignored.Contains(name)) return;
        if (_ignored.Count == MaxIgnored)
            throw new InvalidRequestException(name,
                $"'{name}' is no field, and neither are {MaxIgnored} before it; at most as many are ignored.");
        _ignored.Add(name);
    }

    /// <summary>The field's value, or null where it is absent or null.</summary>
    public JsonElement? Value(string name) =>
        _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A number.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public double? Number(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : throw Wrong(name, "a number");

    /// <summary>A whole number of 32 bits.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public int? Integer(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number
        : throw Wrong(name, $"a whole number from {int.MinValue} to {int.MaxValue}");

    /// <summary>A whole number of 64 bits.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public long? Long(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number
        : throw Wrong(name, "a whole number of 64 bits");

    /// <summary>True or false; false where not set.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public bool Flag(string name) => Truth(name) ?? false;

    /// <summary>True, false, or null where not set.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public bool? Truth(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.False ? false : throw Wrong(name, "true or false"));

    /// <summary>A list of whole numbers of 32 bits.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public IReadOnlyList<int>? Integers(string name) => Items(name, "a list of token ids")?.Select((item, i) =>
        item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var number) ? number : throw Wrong($"{name}[{i}]", "a token id")).ToList();

    /// <summary>A list of texts.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public IReadOnlyList<string>? Texts(string name) =>
        Items(name, "a list of strings")?.Select((item, i) => FieldText.Of(item, $"{name}[{i}]")).ToList();

    /// <summary>A text.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public string? Text(string name) => Value(name) is not { } value ? null : FieldText.Of(value, name);

    private List<JsonElement>? Items(string name, string expected) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : throw Wrong(name, expected);

    /// <summary>The error for a value of the wrong type.</summary>
    public static InvalidRequestException Wrong(string name, string expected) => new(name, $"'{name}' must be {expected}.");
}
