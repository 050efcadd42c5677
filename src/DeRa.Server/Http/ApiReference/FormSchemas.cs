using System.Text.Json.Nodes;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.ApiReference;

/// <summary>The JSON schemas (2020-12) of what fields take. Bounds are inclusive unless they say otherwise.</summary>
internal static class FormSchemas
{
    /// <summary>The schema of a form.</summary>
    /// <exception cref="ArgumentException">A form of an unknown kind.</exception>
    public static JsonObject Of(ValueForm form) => form switch
    {
        NumberRange { Special: { } special } range => AnyOf(One(special), Of(range with { Special = null })),
        NumberRange { ExcludesLow: true } range =>
            new() { ["type"] = "number", ["exclusiveMinimum"] = range.Low, ["maximum"] = range.High },
        NumberRange range => Bounded(range.IsWhole ? "integer" : "number", ("minimum", range.Low), ("maximum", range.High)),
        LongForm => new() { ["type"] = "integer", ["format"] = "int64" },
        FlagForm => new() { ["type"] = "boolean" },
        TextForm text => Bounded("string", ("minLength", text.LeastBytes), ("maxLength", text.MostBytes)),
        WordForm words => new() { ["type"] = "string", ["enum"] = new JsonArray([.. words.Words.Select(word => (JsonNode)word)]) },
        ListForm list => With(Bounded("array", ("minItems", list.Least), ("maxItems", list.Most)), "items", Of(list.Items)),
        MapForm map => Map(map),
        ObjectForm fields => Object(fields),
        MessageForm => Reference("Message"),
        AnyForm any => AnyOf([.. any.Forms.Select(Of)]),
        _ => throw new ArgumentException($"'{form.GetType().Name}' has no schema.", nameof(form)),
    };

    /// <summary>That value and no other.</summary>
    public static JsonObject One(JsonNode value) => new() { ["enum"] = new JsonArray(value) };

    /// <summary>One of several.</summary>
    public static JsonObject AnyOf(params JsonObject[] schemas) => new() { ["anyOf"] = new JsonArray([.. schemas]) };

    /// <summary>A schema of the document.</summary>
    public static JsonObject Reference(string component) => new() { ["$ref"] = $"#/components/schemas/{component}" };

    /// <summary>The same, or null.</summary>
    public static JsonObject OrNull(JsonObject schema)
    {
        if (schema["anyOf"] is JsonArray forms) forms.Add(new JsonObject { ["type"] = "null" });
        else schema["type"] = new JsonArray((string)schema["type"]!, "null");
        if (schema["enum"] is JsonArray values) values.Add(null);
        return schema;
    }

    private static JsonObject Object(ObjectForm form)
    {
        var schema = new JsonObject { ["type"] = "object", ["additionalProperties"] = false };
        if (form.Required.Count > 0) schema["required"] = new JsonArray([.. form.Required.Select(name => (JsonNode)name)]);
        schema["properties"] = new JsonObject(form.Fields.Select(field => KeyValuePair.Create(field.Name,
            (JsonNode?)(form.Required.Contains(field.Name) ? Of(field.Form) : OrNull(Of(field.Form))))));
        return schema;
    }

    private static JsonObject Map(MapForm map)
    {
        var values = map.Values is { } form ? OrNull(Of(form)) : [];
        var schema = With(Bounded("object", ("maxProperties", map.Most)), "additionalProperties", values);
        return map.HasTokenIds ? With(schema, "propertyNames", new JsonObject { ["pattern"] = "^[0-9]+$" }) : schema;
    }

    private static JsonObject Bounded(string type, params (string Name, double? Value)[] bounds)
    {
        var schema = new JsonObject { ["type"] = type };
        foreach (var (name, value) in bounds)
            if (value is { } bound) schema[name] = bound;
        return schema;
    }

    private static JsonObject With(JsonObject schema, string name, JsonObject value)
    {
        schema[name] = value;
        return schema;
    }
}
