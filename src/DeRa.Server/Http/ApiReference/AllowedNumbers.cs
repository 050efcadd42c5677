using System.Text.Json.Nodes;
using DeRa.Serving;

namespace DeRa.Server.Http.ApiReference;

/// <summary>Says which whole numbers a field takes, with the ranges in force that the reference tells, for errors about the field.</summary>
internal static class AllowedNumbers
{
    /// <summary>Such as <c>a whole number from 1 to 128</c>; for a list, what its items may be.</summary>
    /// <param name="pair">What is served.</param>
    /// <param name="form">The schema of the request.</param>
    /// <param name="field">A field of it that is a whole number or a list of such.</param>
    public static string Of(ServedPair pair, string form, string field) => Text(ApiOperations.Of(pair)
        .SelectMany(operation => operation.Forms).First(request => request.Schema == form)
        .Fields.First(described => described.Name == field).Schema) ?? "a whole number";

    private static string? Text(JsonNode schema)
    {
        if (schema["anyOf"] is JsonArray forms)
            return string.Join(" or ", forms.Select(form => Text(form!)).OfType<string>().Distinct());
        if (schema["enum"] is JsonArray values) return string.Join(" or ", values.Select(value => value!.ToJsonString()));
        return (string?)schema["type"] switch
        {
            "array" => Text(schema["items"]!),
            "integer" => schema["minimum"] is { } low && schema["maximum"] is { } high ? $"a whole number from {low} to {high}"
                : "a whole number of 64 bits",
            _ => null,
        };
    }
}
