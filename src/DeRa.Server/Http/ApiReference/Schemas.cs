using System.Text.Json.Nodes;

namespace DeRa.Server.Http.ApiReference;

/// <summary>Short forms of the JSON schemas (2020-12) that the fields of requests have. Bounds are inclusive.</summary>
internal static class Schemas
{
    public static JsonObject Number(double? low = null, double? high = null) => Bounded("number", low, high);

    public static JsonObject Integer(double? low = null, double? high = null) => Bounded("integer", low, high);

    public static JsonObject AnyString(int? minLength = null, int? maxLength = null) =>
        Bounded("string", minLength, maxLength, "minLength", "maxLength");

    public static JsonObject Flag() => new() { ["type"] = "boolean" };

    public static JsonObject List(JsonObject items, int? most = null, int? least = null)
    {
        var schema = Bounded("array", least, most, "minItems", "maxItems");
        schema["items"] = items;
        return schema;
    }

    public static JsonObject Map(JsonObject values, int? most = null)
    {
        var schema = Bounded("object", null, most, "", "maxProperties");
        schema["additionalProperties"] = values;
        return schema;
    }

    /// <summary>An object that has no other fields than these, none of them required.</summary>
    public static JsonObject Object(IEnumerable<(string Name, JsonObject Schema)> fields) => new()
    {
        ["type"] = "object",
        ["additionalProperties"] = false,
        ["properties"] = new JsonObject(fields.Select(field => KeyValuePair.Create(field.Name, (JsonNode?)field.Schema))),
    };

    /// <summary>That value and no other.</summary>
    public static JsonObject One(JsonNode value) => new() { ["enum"] = new JsonArray(value) };

    public static JsonObject AnyOf(params JsonObject[] schemas) => new() { ["anyOf"] = new JsonArray([.. schemas]) };

    public static JsonObject Reference(string component) => new() { ["$ref"] = $"#/components/schemas/{component}" };

    /// <summary>The same, or null.</summary>
    public static JsonObject OrNull(JsonObject schema)
    {
        if (schema["anyOf"] is JsonArray forms) forms.Add(new JsonObject { ["type"] = "null" });
        else schema["type"] = new JsonArray((string)schema["type"]!, "null");
        return schema;
    }

    /// <summary>The same with what holds where the field is not set.</summary>
    public static JsonObject WithDefault(this JsonObject schema, JsonNode value)
    {
        schema["default"] = value;
        return schema;
    }

    private static JsonObject Bounded(string type, double? low, double? high, string least = "minimum", string most = "maximum")
    {
        var schema = new JsonObject { ["type"] = type };
        if (low is { } bottom) schema[least] = bottom;
        if (high is { } top) schema[most] = top;
        return schema;
    }
}
