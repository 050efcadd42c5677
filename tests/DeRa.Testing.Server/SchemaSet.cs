using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using NJsonSchema;

namespace DeRa.Testing.Server;

/// <summary>Schemas of an OpenAPI document, made ready to validate when they are first asked for.</summary>
public sealed class SchemaSet(JsonObject all)
{
    private readonly ConcurrentDictionary<string, JsonSchema> _ready = new();

    public bool Contains(string name) => all.ContainsKey(name);

    public JsonSchema this[string name] => _ready.GetOrAdd(name, Read);

    private JsonSchema Read(string name)
    {
        if (!Contains(name)) throw new ArgumentException($"no schema is named '{name}'");
        var root = (JsonObject)all[name]!.DeepClone();
        root["definitions"] = all.DeepClone();
        var text = root.ToJsonString().Replace("#/components/schemas/", "#/definitions/", StringComparison.Ordinal);
        // Nothing is loaded from anywhere, so nothing is waited for.
        return JsonSchema.FromJsonAsync(text).GetAwaiter().GetResult();
    }
}
