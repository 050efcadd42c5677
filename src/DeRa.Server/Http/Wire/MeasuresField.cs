using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads <c>measures</c>: true, false, or an object with <c>top</c>.</summary>
internal static class MeasuresField
{
    /// <summary>How many likeliest tokens are asked for, 0 where measures alone are; null where none are.</summary>
    /// <param name="value">Its value.</param>
    /// <param name="field">Its name, for errors.</param>
    /// <param name="top">What <c>top</c> takes, for errors.</param>
    /// <exception cref="InvalidRequestException">It is of another form, or has a field that is none of its own.</exception>
    public static int? Read(JsonElement value, string field, string top) => value.ValueKind switch
    {
        JsonValueKind.True => 0,
        JsonValueKind.False => null,
        JsonValueKind.Object => value.EnumerateObject().Aggregate(0, (count, entry) => Top(entry, field, top) ?? count),
        _ => throw JsonFields.Wrong(field, "true, false or an object with 'top'"),
    };

    private static int? Top(JsonProperty entry, string field, string top)
    {
        var place = $"{field}.{FieldText.Name(entry)}";
        if (place != $"{field}.top") throw new InvalidRequestException(place, $"'{place}' is not a field; '{field}' has 'top'.");
        if (entry.Value.ValueKind == JsonValueKind.Null) return null;
        return entry.Value.ValueKind == JsonValueKind.Number && entry.Value.TryGetInt32(out var count) ? count
            : throw JsonFields.Wrong(place, top);
    }
}
