using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>The fields of a request by their names in the API, which HTTP and gRPC share.</summary>
internal static class RequestFields
{
    /// <summary>The fields that options set. What other servers know and DeRa does not is refused here, before anything is sent.</summary>
    /// <exception cref="NotSupportedException">Options for which DeRa has nothing: tools, or a format that is not text.</exception>
    public static JsonObject Of(ChatOptions? options)
    {
        if (options is null) return [];
        if (options.Tools is { Count: > 0 }) throw new NotSupportedException("ChatOptions.Tools is set; the server has no tools.");
        if (options.ResponseFormat is not (null or ChatResponseFormatText))
            throw new NotSupportedException("ChatOptions.ResponseFormat is set; the server's responses are text.");
        var fields = new JsonObject();
        Add(fields, "max_tokens", options.MaxOutputTokens);
        Add(fields, "temperature", Double(options.Temperature));
        Add(fields, "top_p", Double(options.TopP));
        Add(fields, "top_k", options.TopK);
        Add(fields, "frequency_penalty", Double(options.FrequencyPenalty));
        Add(fields, "presence_penalty", Double(options.PresencePenalty));
        Add(fields, FieldNames.Seed, options.Seed);
        if (options.StopSequences is { Count: > 0 } stops)
            fields["stop"] = new JsonArray([.. stops.Select(stop => JsonValue.Create(stop))]);
        foreach (var (name, value) in options.AdditionalProperties ?? []) fields[name] = Value(value);
        return fields;
    }

    private static void Add<T>(JsonObject fields, string name, T? value) where T : struct
    {
        if (value is { } set) fields[name] = JsonValue.Create(set);
    }

    /// <summary>The number as it is written: 0.7f is 0.7, not 0.699999988.</summary>
    private static double? Double(float? value) => value is { } set
        ? double.Parse(set.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : null;

    private static JsonNode? Value(object? value) => value switch
    {
        MeasureRequest measures => new JsonObject { ["top"] = measures.Top },
        PointSchedule schedule => new JsonArray(
            [.. schedule.Points.Select(point => new JsonArray(point.FromToken, point.Strength))]),
        RampSchedule ramp => new JsonObject
        {
            ["start"] = ramp.Start,
            ["end"] = ramp.End,
            ["tokens"] = ramp.Tokens,
            ["shape"] = ramp.Shape switch
            {
                ScheduleShape.Cosine => "cosine",
                ScheduleShape.Step => "step",
                _ => "linear",
            },
        },
        _ => JsonSerializer.SerializeToNode(value),
    };
}
