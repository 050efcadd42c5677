using DeRa.Engine.Requests;
using DeRa.Server.Options;

namespace DeRa.Server.Http;

/// <summary>Lists the fields that were ignored, in a header; in strict mode refuses them.</summary>
internal static class IgnoredFields
{
    private const int MaxLength = 1024;

    /// <summary>Says which fields were ignored.</summary>
    /// <exception cref="InvalidRequestException">Strict mode: no field may be.</exception>
    public static void Announce(HttpContext context, IReadOnlyList<string> names)
    {
        if (names.Count == 0) return;
        if (context.RequestServices.GetRequiredService<ServerOptions>().StrictFields)
            throw new InvalidRequestException(names[0], $"'{names[0]}' is not a field, and this server refuses unknown fields (--strict-fields).");
        context.Response.Headers["x-ignored-fields"] = Header(names);
    }

    /// <summary>The names, separated by commas; whatever a header cannot hold is percent-encoded.</summary>
    public static string Header(IEnumerable<string> names)
    {
        var text = string.Join(", ", names.Select(Uri.EscapeDataString));
        return text.Length <= MaxLength ? text : text[..MaxLength];
    }
}
