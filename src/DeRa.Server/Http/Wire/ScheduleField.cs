using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>
/// Reads <c>alignment_schedule</c>: an object, or a list of output tokens and strengths. Fields that are null count as not set.
/// </summary>
internal static class ScheduleField
{
    private const string Whole = "a whole number of at least 0";

    /// <summary>Reads a schedule.</summary>
    /// <param name="value">Its value.</param>
    /// <param name="field">Its name, for errors.</param>
    /// <exception cref="InvalidRequestException">It is of another form, or has a field that is none of a schedule's.</exception>
    public static ScheduleInput Read(JsonElement value, string field) => value.ValueKind switch
    {
        JsonValueKind.Array => Points(value, field),
        JsonValueKind.Object => Ramp(value, field),
        _ => throw JsonFields.Wrong(field, "an object with 'start', 'end' and 'tokens', or a list of [token, strength]"),
    };

    private static ScheduleInput Points(JsonElement list, string field)
    {
        ScheduleInput.CheckCount(field, list.GetArrayLength());
        return new() { Points = [.. list.EnumerateArray().Select((point, i) => Point(point, $"{field}[{i}]"))] };
    }

    private static SchedulePointInput Point(JsonElement point, string field) =>
        point.ValueKind == JsonValueKind.Array && point.GetArrayLength() == 2
            ? new(Token(point[0], $"{field}[0]"), Number(point[1], $"{field}[1]"), $"{field}[0]", $"{field}[1]")
            : throw JsonFields.Wrong(field, "[token, strength], an output token and the strength from it on");

    private static ScheduleInput Ramp(JsonElement value, string field)
    {
        var ramp = new ScheduleInput();
        foreach (var entry in value.EnumerateObject())
        {
            var (name, own) = (FieldText.Name(entry), entry.Value);
            var place = $"{field}.{name}";
            ramp = name switch
            {
                "start" => ramp with { Start = IsSet(own) ? Number(own, place) : null },
                "end" => ramp with { End = IsSet(own) ? Number(own, place) : null },
                "tokens" => ramp with { Tokens = IsSet(own) ? Token(own, place) : null },
                "shape" => ramp with { Shape = IsSet(own) ? FieldText.Of(own, place) : null },
                _ => throw new InvalidRequestException(place,
                    $"'{place}' is not a field; a schedule has 'start', 'end', 'tokens' and 'shape'."),
            };
        }
        return ramp;
    }

    private static bool IsSet(JsonElement value) => value.ValueKind != JsonValueKind.Null;

    private static double Number(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.Number ? value.GetDouble() : throw JsonFields.Wrong(field, "a number");

    private static int Token(JsonElement value, string field) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var token) ? token : throw JsonFields.Wrong(field, Whole);
}
