using System.Text.Json;
using DeRa.Engine.Requests;

namespace DeRa.Server.Http.Wire;

/// <summary>Texts out of JSON, which may hold what is no Unicode (half a surrogate pair, broken UTF-8).</summary>
internal static class FieldText
{
    /// <summary>A string value.</summary>
    /// <exception cref="InvalidRequestException">It is no string, or no Unicode.</exception>
    public static string Of(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String) throw RequestFields.Wrong(field, "a string");
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw RequestFields.Wrong(field, "valid Unicode: it holds half a surrogate pair or broken UTF-8");
        }
    }

    /// <summary>The name of a property.</summary>
    /// <exception cref="HttpRefusal">It is no Unicode.</exception>
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
}
