using System.Text.Json;
using System.Text.Json.Nodes;
using DeRa.Hosting.Options;

namespace DeRa.Server.Responses;

/// <summary>Limits and options as JSON.</summary>
internal static class ServedValues
{
    /// <summary>A value; times are in seconds.</summary>
    public static JsonNode? Json(object? value) => value switch
    {
        null => null,
        IReadOnlyList<string> list => List(list),
        string text => JsonValue.Create(text),
        Enum choice => JsonValue.Create(OptionWords.Format(choice)),
        TimeSpan duration => JsonValue.Create(duration.TotalSeconds),
        _ => JsonSerializer.SerializeToNode(value, value.GetType()),
    };

    /// <summary>A list of texts.</summary>
    public static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(text => (JsonNode?)JsonValue.Create(text))]);
}
