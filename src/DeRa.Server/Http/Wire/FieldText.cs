using System.Text.Json;
using DeRa.Server.Errors;
using DeRa.Serving.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Texts out of JSON, which may hold what is not Unicode (half a surrogate pair, broken UTF-8).</summary>
internal static class FieldText
{
    /// <summary>What a text must be, for errors.</summary>
    public const string Unicode = "valid Unicode: it holds half a surrogate pair or broken UTF-8";

    /// <summary>A string value.</summary>
    /// <exception cref="InvalidRequestException">It is not a string, or not Unicode.</exception>
    public static string Of(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String) throw JsonFields.Wrong(field, "a string");
        return Read(value) ?? throw JsonFields.Wrong(field, Unicode);
    }

    /// <summary>
    /// Finds a text that is not Unicode anywhere in a value, which would otherwise show when the value is made use of. Takes time
    /// in proportion to the value's size: the way to a text is put together only once it is found.
    /// </summary>
    /// <returns>The names on the way to it, outermost first; null where there is none.</returns>
    /// <exception cref="HttpRefusal">A name is not Unicode.</exception>
    public static Stack<string>? NoUnicode(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                return Read(value) is null ? new Stack<string>() : null;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                    if (NoUnicode(item) is { } place) return place;
                return null;
            case JsonValueKind.Object:
                foreach (var entry in value.EnumerateObject())
                {
                    var name = Name(entry);
                    if (NoUnicode(entry.Value) is not { } place) continue;
                    place.Push(name);
                    return place;
                }
                return null;
            default:
                return null;
        }
    }

    /// <summary>The name of a property.</summary>
    /// <exception cref="HttpRefusal">It is not Unicode.</exception>
    public static string Name(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            throw new HttpRefusal(StatusCodes.Status400BadRequest, "The name of a field of the body is not valid Unicode.");
        }
    }

    /// <summary>The text; null where it is not Unicode.</summary>
    private static string? Read(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }
}
