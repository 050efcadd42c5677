using System.Globalization;
using System.Text.Json;
using DeRa.Serving;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>The fields of a request body, by name and type. A field that is null counts as not set.</summary>
internal sealed class JsonFields : IFieldSource
{
    /// <summary>Unknown fields that are ignored; each costs a comparison with every known one.</summary>
    private const int MaxUnknown = 64;

    private readonly Dictionary<string, JsonElement> _fields = new(StringComparer.Ordinal);
    private readonly List<string> _ignored = [];
    private readonly HashSet<string> _unknown = new(StringComparer.Ordinal);
    private readonly FieldContext _context;

    /// <summary>Sorts the fields of a body by what the endpoint does with them.</summary>
    /// <param name="body">A JSON object.</param>
    /// <param name="table">What the endpoint does with each field.</param>
    /// <param name="pair">What is asked; errors name the ranges that hold for it.</param>
    /// <exception cref="InvalidRequestException">
    /// A field that does not work here, one that was probably misspelt, or too many unknown ones.
    /// </exception>
    public JsonFields(JsonElement body, FieldTable table, ServedPair pair)
    {
        _context = pair.Validator.Context;
        foreach (var field in body.EnumerateObject())
        {
            var name = FieldText.Name(field);
            var use = table.Classify(name, field.Value);
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
                $"'{name}' is not a field, and neither are {MaxUnknown} before it; at most as many are ignored.");
        _unknown.Add(name);
        _ignored.Add(name);
    }

    /// <summary>The field's value, or null where it is absent or null.</summary>
    public JsonElement? Value(string name) =>
        _fields.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <inheritdoc/>
    public string SentName(RequestField field) =>
        field.Synonym is { } synonym && Value(synonym) is not null && Value(field.Name) is null ? synonym : field.Name;

    /// <inheritdoc/>
    public double? Number(RequestField field) => Read(field, (value, name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) ? number : throw Wrong(name, "a number"));

    /// <inheritdoc/>
    public int? Whole(RequestField field) => field.TakesFalse && Value(field.Name)?.ValueKind == JsonValueKind.False ? null
        : Read(field, (value, name) =>
            value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) ? number : throw NotWhole(name, field, value));

    /// <inheritdoc/>
    public long? Whole64(RequestField field) => Read(field, (value, name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : throw NotWhole(name, field, value));

    /// <inheritdoc/>
    public bool? Flag(RequestField field) => Read(field, (value, name) => value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw Wrong(name, "true or false"),
    });

    /// <summary>Whether a field is true; where it is not set it is not.</summary>
    /// <exception cref="InvalidRequestException">It is something else than true or false.</exception>
    public bool IsTrue(RequestField field) => Flag(field) ?? false;

    /// <inheritdoc/>
    public IReadOnlyList<int>? TokenIds(RequestField field) => Value(field.Name) is not { } value ? null
        : value.ValueKind == JsonValueKind.Array ? TokenIds(value, field.Name, field) : throw Wrong(field.Name, "a list of token ids");

    /// <summary>Reads a list of token ids.</summary>
    /// <param name="list">A JSON array.</param>
    /// <param name="place">Where it stands in the request, for errors.</param>
    /// <param name="field">The field that it is, or is a part of.</param>
    /// <exception cref="InvalidRequestException">An entry is none.</exception>
    public int[] TokenIds(JsonElement list, string place, RequestField field)
    {
        var tokens = new int[list.GetArrayLength()];
        var i = 0;
        foreach (var element in list.EnumerateArray())
        {
            if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt32(out tokens[i]))
                throw NotWhole($"{place}[{i}]", field, element, "a token id, ");
            i++;
        }
        return tokens;
    }

    /// <inheritdoc/>
    public IReadOnlyList<string>? Texts(RequestField field) => Value(field.Name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select((item, i) => FieldText.Of(item, $"{field.Name}[{i}]"))],
        { ValueKind: JsonValueKind.String } one when field.TakesOneText => [FieldText.Of(one, field.Name)],
        _ => throw Wrong(field.Name, field.TakesOneText ? "a string or a list of strings" : "a list of strings"),
    };

    /// <inheritdoc/>
    public string? Text(RequestField field) => Value(field.Name) is not { } value ? null : FieldText.Of(value, field.Name);

    /// <inheritdoc/>
    public IReadOnlyList<double>? Numbers(RequestField field) => Value(field.Name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select((item, i) =>
            item.ValueKind == JsonValueKind.Number ? item.GetDouble() : throw Wrong($"{field.Name}[{i}]", "a number"))],
        _ => throw Wrong(field.Name, "a list of numbers"),
    };

    /// <inheritdoc/>
    public IReadOnlyDictionary<int, double>? TokenNumbers(RequestField field) => Value(field.Name) is { } value
        ? MapFields.TokenNumbers(value, field.Name) : null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, double>? NamedNumbers(RequestField field) => Value(field.Name) is { } value
        ? MapFields.NamedNumbers(value, field.Name) : null;

    /// <inheritdoc/>
    public ScheduleInput? Schedule(RequestField field) =>
        Value(field.Name) is { } value ? ScheduleField.Read(value, field.Name) : null;

    /// <inheritdoc/>
    public int? Measures(RequestField field) =>
        Value(field.Name) is { } value ? MeasuresField.Read(value, field.Name, _context.Alternatives.WholeNumbers!) : null;

    /// <summary>The error for a value of the wrong type.</summary>
    public static InvalidRequestException Wrong(string name, string expected) => new(name, $"'{name}' must be {expected}.");

    /// <summary>What whole numbers a field takes, such as <c>a whole number from 1 to 128</c>.</summary>
    public string WholeNumbers(RequestField field)
    {
        var text = field.Form(_context).WholeNumbers;
        return field.TakesFalse ? $"{text} or false" : text ?? "a whole number";
    }

    /// <summary>A value under the field's name or its synonym; null where neither is set.</summary>
    private T? Read<T>(RequestField field, Func<JsonElement, string, T> read) where T : struct
    {
        T? own = Value(field.Name) is { } value ? read(value, field.Name) : null;
        if (field.Synonym is not { } synonym || Value(synonym) is not { } sent) return own;
        var other = read(sent, synonym);
        if (own is { } one && !one.Equals(other))
            throw new InvalidRequestException(field.Name, string.Create(CultureInfo.InvariantCulture,
                $"'{field.Name}' is {one} and '{synonym}' is {other}: they mean the same; send one of them."));
        return other;
    }

    /// <summary>The error for what is not a whole number, or is not written as one: 4.0 is refused by OpenAI too.</summary>
    private InvalidRequestException NotWhole(string place, RequestField field, JsonElement value, string what = "")
    {
        var expected = what + WholeNumbers(field);
        if (value.ValueKind != JsonValueKind.Number) return Wrong(place, expected);
        var isWhole = value.TryGetDouble(out var number) && double.IsInteger(number);
        var written = value.GetRawText();
        var form = isWhole && written.AsSpan().ContainsAny('.', 'e', 'E') ? ", written without a fraction or an exponent" : "";
        return new(place, $"'{place}' is {written}; it must be {expected}{form}.");
    }
}
