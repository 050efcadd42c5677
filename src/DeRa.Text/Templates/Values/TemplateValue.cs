using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace DeRa.Text.Templates.Values;

/// <summary>Turns JSON into what a template works with.</summary>
internal static class TemplateValue
{
    /// <param name="json">Any JSON; null is None.</param>
    /// <param name="text">What to make of each text, names of fields included.</param>
    public static object Of(JsonNode? json, Func<string, string> text) => json switch
    {
        null => None.Value,
        JsonArray list => new ListValue([.. list.Select(item => Of(item, text))]),
        JsonObject fields => Dict(fields, text),
        _ => json.GetValueKind() switch
        {
            JsonValueKind.String => text(json.GetValue<string>()),
            JsonValueKind.True => true,
            JsonValueKind.False => false,
            _ => Number(json),
        },
    };

    private static DictValue Dict(JsonObject fields, Func<string, string> text)
    {
        var dict = new DictValue();
        foreach (var (name, value) in fields) dict.Set(text(name), Of(value, text));
        return dict;
    }

    private static object Number(JsonNode json)
    {
        var digits = json.ToJsonString();
        return digits.AsSpan().ContainsAny('.', 'e', 'E') || !long.TryParse(digits, out var integer)
            ? double.Parse(digits, CultureInfo.InvariantCulture)
            : (object)integer;
    }
}
