using System.Text.Json;

namespace DeRa.Client.Http;

/// <summary>Reads values of a response.</summary>
internal static class JsonValues
{
    /// <summary>A value that is there and not null.</summary>
    public static JsonElement? Find(this JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A number; null where there is none.</summary>
    public static double? Number(this JsonElement json, string name) => json.Find(name)?.GetDouble();

    /// <summary>A number; NaN where it is null.</summary>
    public static double Finite(this JsonElement json, string name) => json.Number(name) ?? double.NaN;

    /// <summary>A text; null where there is none.</summary>
    public static string? Text(this JsonElement json, string name) => json.Find(name)?.GetString();

    /// <summary>Numbers by name; null where there are none.</summary>
    public static IReadOnlyDictionary<string, double>? Numbers(this JsonElement json, string name) =>
        json.Find(name)?.EnumerateObject().ToDictionary(entry => entry.Name, entry => entry.Value.GetDouble());

    /// <summary>A list's entries; none where there is no list.</summary>
    public static IEnumerable<JsonElement> List(this JsonElement json, string name) =>
        json.Find(name) is { } list ? list.EnumerateArray() : [];
}
