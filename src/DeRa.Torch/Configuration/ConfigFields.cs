using System.Text.Json;
using DeRa.Torch.Weights;

namespace DeRa.Torch.Configuration;

/// <summary>
/// Reads typed fields of one JSON object of a model's configuration and remembers which names were read, so that unread fields
/// can be refused instead of silently dropped.
/// </summary>
/// <param name="path">The file, for messages.</param>
/// <param name="source">A JSON object.</param>
/// <param name="prefix">Put before a field's name in messages, such as <c>rope_scaling.</c>.</param>
internal sealed class ConfigFields(string path, JsonElement source, string prefix = "")
{
    private readonly HashSet<string> _read = [];

    /// <summary>The file, for messages.</summary>
    public string Path => path;

    /// <summary>Whether the field is there and not null.</summary>
    public bool Has(string name) => Find(name) is not null;

    /// <summary>Whether the field is there, even if null.</summary>
    public bool IsPresent(string name) => source.TryGetProperty(name, out _);

    /// <summary>A required whole number in [<paramref name="min"/>, <paramref name="max"/>].</summary>
    public int Integer(string name, int min, int max) =>
        OptionalInteger(name, min, max) ?? throw Invalid(name, "is missing; " + Range(min, max));

    /// <summary>A whole number in the range, or null where the field is absent or null.</summary>
    public int? OptionalInteger(string name, int min, int max)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= min && number <= max
            ? number
            : throw Invalid(name, $"is {Excerpt(value)}; {Range(min, max)}");
    }

    /// <summary>A required whole number whose field has a second name; both may be given, and must then agree.</summary>
    public int Integer(string name, string otherName, int min, int max) =>
        Agreed((name, OptionalInteger(name, min, max)), (otherName, OptionalInteger(otherName, min, max))) ?? Integer(name, min, max);

    /// <summary>A required finite number greater than <paramref name="above"/>.</summary>
    public double Number(string name, double above) =>
        OptionalNumber(name, above) ?? throw Invalid(name, $"is missing; it must be a number above {above}");

    /// <summary>A finite number greater than <paramref name="above"/>, or null where the field is absent or null.</summary>
    public double? OptionalNumber(string name, double above)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number > above
            ? number
            : throw Invalid(name, $"is {Excerpt(value)}; it must be a number above {above}");
    }

    /// <summary>A Boolean; <paramref name="defaultValue"/> where the field is absent or null.</summary>
    public bool Flag(string name, bool defaultValue) => Find(name) switch
    {
        null => defaultValue,
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { } value => throw Invalid(name, $"is {Excerpt(value)}; it must be true or false"),
    };

    /// <summary>A string, or null where the field is absent or null.</summary>
    public string? String(string name) => Find(name) switch
    {
        null => null,
        { ValueKind: JsonValueKind.String } value => value.GetString(),
        { } value => throw Invalid(name, $"is {Excerpt(value)}; it must be a string"),
    };

    /// <summary>A list of strings, or null where the field is absent or null.</summary>
    public IReadOnlyList<string>? Strings(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? value.EnumerateArray().Select(item => item.GetString()!).ToList()
            : throw Invalid(name, $"is {Excerpt(value)}; it must be a list of strings");
    }

    /// <summary>Whether the field is there and a string.</summary>
    public bool IsString(string name) => Find(name) is { ValueKind: JsonValueKind.String };

    /// <summary>A string or a list of strings, or null where the field is absent or null.</summary>
    public IReadOnlyList<string>? StringOrStrings(string name) => IsString(name) ? [String(name)!] : Strings(name);

    /// <summary>A whole number or a list of such, each in the range, or null where the field is absent or null.</summary>
    public IReadOnlyList<int>? Integers(string name, int min, int max)
    {
        if (Find(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number) return [Integer(name, min, max)];
        int[] numbers = value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray()
                .Select(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out var n) ? n : min - 1)]
            : [min - 1];
        return numbers.All(number => number >= min && number <= max)
            ? numbers
            : throw Invalid(name, $"is {Excerpt(value)}; it must be whole numbers from {min} to {max}");
    }

    /// <summary>An object's entries, all finite numbers; none where the field is absent or null.</summary>
    public IReadOnlyList<(string Name, double Value)> Numbers(string name)
    {
        if (Find(name) is not { } value) return [];
        if (value.ValueKind != JsonValueKind.Object) throw Invalid(name, $"is {Excerpt(value)}; it must be an object of numbers");
        return [.. value.EnumerateObject().Select(entry =>
            entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetDouble(out var number) && double.IsFinite(number)
                ? (entry.Name, number)
                : throw Invalid($"{name}.{entry.Name}", $"is {Excerpt(entry.Value)}; it must be a number"))];
    }

    /// <summary>The fields of an object within this one, or null where the field is absent or null.</summary>
    public ConfigFields? Object(string name)
    {
        if (Find(name) is not { } value) return null;
        return value.ValueKind == JsonValueKind.Object
            ? new ConfigFields(path, value, $"{prefix}{name}.")
            : throw Invalid(name, $"is {Excerpt(value)}; it must be an object or null");
    }

    /// <summary>A value that may be given in several places, which must then agree; null where none gives it.</summary>
    /// <param name="given">Fields and their values; null = not given.</param>
    /// <exception cref="CheckpointException">Two of them differ; the message names both.</exception>
    public T? Agreed<T>(params ReadOnlySpan<(string Name, T Value)> given)
    {
        (string Name, T Value)? first = null;
        foreach (var item in given)
        {
            if (item.Value is null) continue;
            first ??= item;
            if (!item.Value.Equals(first.Value.Value))
                throw Invalid(first.Value.Name, $"is {Quoted(first.Value.Value)}, but '{prefix}{item.Name}' is {Quoted(item.Value)}; "
                    + "what is given twice must be the same");
        }
        return first is { } found ? found.Value : default;
    }

    /// <summary>Refuses every field that was not read, is not null, and is not ignored.</summary>
    /// <param name="isIgnored">True for names that cannot change what the model computes.</param>
    /// <param name="isNeutral">True for a name and value with which the field changes nothing.</param>
    public void RefuseUnread(Func<string, bool> isIgnored, Func<string, JsonElement, bool> isNeutral)
    {
        foreach (var field in source.EnumerateObject())
        {
            if (field.Value.ValueKind == JsonValueKind.Null || _read.Contains(field.Name)) continue;
            if (isIgnored(field.Name) || isNeutral(field.Name, field.Value)) continue;
            throw Invalid(field.Name, $"is {Excerpt(field.Value)}, which is not supported "
                + $"(it may change what the model computes; understood here: {string.Join(", ", _read.Order(StringComparer.Ordinal))})");
        }
    }

    /// <summary>A field's JSON, shortened, for messages. The field is there.</summary>
    public string Excerpt(string name) => Excerpt(Find(name)!.Value);

    /// <summary>The exception for an unusable field.</summary>
    public CheckpointException Invalid(string name, string problem) => new(path, $"'{prefix}{name}' {problem}");

    private JsonElement? Find(string name)
    {
        _read.Add(name);
        return source.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private static string Range(int min, int max) => $"it must be a whole number from {min} to {max}";

    private static string Quoted<T>(T value) => value is string ? $"'{value}'" : FormattableString.Invariant($"{value}");

    private static string Excerpt(JsonElement value)
    {
        var text = value.GetRawText();
        return text.Length <= 60 ? text : text[..57] + "...";
    }
}
