using System.Globalization;
using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads objects that map names or token ids to numbers. Entries that are null count as left out.</summary>
internal static class MapFields
{
    /// <summary>Numbers by name; null where there are none, as in gRPC, where a map that is empty is one that is not set.</summary>
    /// <exception cref="InvalidRequestException">It is something else.</exception>
    public static Dictionary<string, double>? NamedNumbers(JsonElement entries, string field)
    {
        if (entries.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong(field, "an object of aligned models' names and numbers");
        var read = new Dictionary<string, double>(StringComparer.Ordinal);
        foreach (var entry in entries.EnumerateObject())
        {
            var name = FieldText.Name(entry);
            if (entry.Value.ValueKind == JsonValueKind.Null) continue;
            if (entry.Value.ValueKind != JsonValueKind.Number) throw JsonFields.Wrong($"{field}.{name}", "a number");
            read[name] = entry.Value.GetDouble();
        }
        return read.Count > 0 ? read : null;
    }

    /// <summary>Numbers by token id.</summary>
    /// <exception cref="InvalidRequestException">It is something else, or names a token twice.</exception>
    public static Dictionary<int, double> TokenNumbers(JsonElement entries, string field)
    {
        if (entries.ValueKind != JsonValueKind.Object) throw JsonFields.Wrong(field, "an object of token ids and numbers");
        var read = new Dictionary<int, double>();
        foreach (var entry in entries.EnumerateObject())
        {
            var name = FieldText.Name(entry);
            if (entry.Value.ValueKind == JsonValueKind.Null) continue;
            if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var token))
                throw new InvalidRequestException(field, $"'{field}' holds '{name}', which is not a token id.");
            if (entry.Value.ValueKind != JsonValueKind.Number) throw JsonFields.Wrong($"{field}[{token}]", "a number");
            if (!read.TryAdd(token, entry.Value.GetDouble()))
                throw new InvalidRequestException(field, $"'{field}' names the token {token} twice.");
        }
        return read;
    }
}
