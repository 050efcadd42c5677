using System.Text.Json;
using DeRa.Server.Http.ApiReference;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>The fields of a request body, by name and type. A field that is null counts as not set.</summary>
internal sealed class RequestFields
{
    /// <summary>Unknown fields that are ignored; each costs a comparison with every known one.</summary>
    private const int MaxUnknown = 64;

    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly List<string> _ignored = [];
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);
    private readonly FieldTable _table;
    private readonly ServedPair _pair;

    /// <summary>Sorts the fields of a body by what the endpoint does with them.</summary>
    /// <param name="body">A JSON object.</param>
    /// <param name="table">What the endpoint does with each field.</param>
    /// <param name="pair">What is asked; errors name the ranges in force for it.</param>
    /// <exception cref="InvalidRequestException">A field that does not work here, one that was probably misspelt, or too many unknown ones.</exception>
    public RequestFields(JsonElement body, FieldTable table, ServedPair pair)
    {
        (_table, _pair) = (table, pair);
        foreach (var field in body.EnumerateObject())
        {
            var name = FieldText.Name(field);
            var use = table.Judge(name, field.Value);
            if (use == FieldUse.Read) _fields[name] = field.Value;
            if (use == FieldUse.OfOtherServers) _ignored.Add(name);
            if (use == FieldUse.Unknown) Ignore(name);
        }
    }

    /// <summary>Fields that are ignored, each named once.</summary>
    public IReadOnlyList<string> Ignored => _ignored;

    /// <summary>Whether a field is known to be ignored.</summary>
    public bool IsIgnored(string name) => _unknown.Contains(name);

    /// <summary>Takes note of a field that nobody here knows.</summary>
    /// <exception cref="InvalidRequestException">There are too many of them.</exception>
    public void Ignore(string name)
    {
        if (_unknown.Contains(name)) return;
        if (_unknown.Count == MaxUnknown)
            throw new InvalidRequestException(name,
                $"'{name}' is no field, and neither are {MaxUnknown} before it; at most as many are ignored.");
        _unknown.Add(name);
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
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw NotWhole(name, name, value);

    /// <summary>A whole number of 64 bits.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public long? Long(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : throw NotWhole(name, name, value);

    /// <summary>True or false; false where not set.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public bool Flag(string name) => Truth(name) ?? false;

    /// <summary>True, false, or null where not set.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public bool? Truth(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.True || (value.ValueKind == JsonValueKind.False ? false : throw Wrong(name, "true or false"));

    /// <summary>A list of token ids.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public IReadOnlyList<int>? TokenIds(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? TokenIds(value, name, name) : throw Wrong(name, "a list of token ids");

    /// <summary>Reads a list of token ids.</summary>
    /// <param name="list">A JSON array.</param>
    /// <param name="place">Where it stands in the request, for errors.</param>
    /// <param name="name">The field that it is, or is a part of.</param>
    /// <exception cref="InvalidRequestException">An entry is none.</exception>
    public int[] TokenIds(JsonElement list, string place, string name)
    {
        var tokens = new int[list.GetArrayLength()];
        var i = 0;
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out tokens[i]))
                throw NotWhole($"{place}[{i}]", name, element, "a token id, ");
            i++;
        }
        return tokens;
    }

    /// <summary>A list of texts.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public IReadOnlyList<string>? Texts(string name) => Value(name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select((item, i) => FieldText.Of(item, $"{name}[{i}]"))]
        : throw Wrong(name, "a list of strings");

    /// <summary>A text.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public string? Text(string name) => Value(name) is not { } value ? null : FieldText.Of(value, name);

    /// <summary>The error for a value of the wrong type.</summary>
    public static InvalidRequestException Wrong(string name, string expected) => new(name, $"'{name}' must be {expected}.");

    /// <summary>What whole numbers a field takes, such as <c>a whole number from 1 to 128</c>.</summary>
    public string WholeNumbers(string name) => AllowedNumbers.Of(_pair, _table.Form, name);

    /// <summary>The error for what is no whole number, or is not written as one: 4.0 is refused by OpenAI too.</summary>
    private InvalidRequestException NotWhole(string place, string name, JsonElement value, string what = "")
    {
        var expected = what + WholeNumbers(name);
        if (value.ValueKind != JsonValueKind.Number) return Wrong(place, expected);
        var isWhole = value.TryGetDouble(out var number) && double.IsInteger(number);
        var written = value.GetRawText();
        var form = isWhole && written.AsSpan().ContainsAny('.', 'e', 'E') ? ", written without a fraction or an exponent" : "";
        return new(place, $"'{place}' is {written}; it must be {expected}{form}.");
    }
}
