using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Server.Http.ApiReference;

/// <summary>Says in words what a field's schema allows.</summary>
internal static class SchemaText
{
    /// <summary>Such as <c>number, −1 to 10</c>.</summary>
    public static string Of(JsonNode schema)
    {
        if (schema["anyOf"] is JsonArray forms) return string.Join(" or ", forms.Select(form => Of(form!)));
        if (schema["enum"] is JsonArray values) return string.Join(" or ", values.Select(value => value?.ToJsonString()).OfType<string>());
        if (schema["$ref"] is { } reference) return ((string)reference!).Split('/')[^1];
        var range = Range(schema);
        return range.Length > 0 ? $"{Kind(schema)}, {range}" : Kind(schema);
    }

    /// <summary>The default; empty where there is none.</summary>
    public static string Default(JsonNode schema) => schema["default"] is { } value
        ? value.GetValueKind() == JsonValueKind.String ? (string)value! : value.ToJsonString() : "";

    private static string Kind(JsonNode schema) => (string)schema["type"]! switch
    {
        "array" => "list of " + Of(schema["items"]!),
        "object" when schema["properties"] is JsonObject fields =>
            "object of " + string.Join("; ", fields.Select(field => $"{field.Key}: {Of(WithoutNull(field.Value!))}")),
        "object" => "object",
        "boolean" => "true or false",
        "integer" => "whole number",
        var type => type == "string" ? "text" : type,
    };

    /// <summary>What the field may be beside null.</summary>
    private static JsonNode WithoutNull(JsonNode schema)
    {
        if (schema["type"] is not JsonArray types) return schema;
        var copy = schema.DeepClone();
        copy["type"] = (string)types[0]!;
        return copy;
    }

    private static string Range(JsonNode schema)
    {
        if (schema["exclusiveMinimum"] is { } above) return $"above {Number(above)} and at most {Number(schema["maximum"])}";
        var bounds = Between(schema["minimum"], schema["maximum"], "");
        bounds += Between(schema["minLength"], schema["maxLength"], " bytes");
        bounds += Between(schema["minItems"], schema["maxItems"], " entries");
        return bounds + Between(null, schema["maxProperties"], " entries");
    }

    private static string Between(JsonNode? low, JsonNode? high, string unit) => (low, high) switch
    {
        (null, null) => "",
        (null, _) => $"at most {Number(high)}{unit}",
        (_, null) => $"at least {Number(low)}{unit}",
        _ when JsonNode.DeepEquals(low, high) => $"{Number(low)}{unit}",
        _ => $"{Number(low)} to {Number(high)}{unit}",
    };

    private static string Number(JsonNode? bound) => bound!.ToJsonString().Replace('-', '−');
}
