using System.Text;
using DeRa.Server.Options;
using DeRa.Serving.Requests;

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
        if (context.RequestServices.GetRequiredService<ServerOptions>().Body.StrictFields)
            throw new InvalidRequestException(names[0],
                $"'{names[0]}' is not a field, and this server refuses unknown fields (--strict-fields).");
        context.Response.Headers["x-ignored-fields"] = Header(names);
    }

    /// <summary>
    /// The names, separated by commas; whatever a header cannot hold is percent-encoded. Where they are too long together, dots
    /// stand for the rest.
    /// </summary>
    private static string Header(IEnumerable<string> names)
    {
        var text = new StringBuilder();
        foreach (var name in names.Select(Uri.EscapeDataString))
        {
            if (text.Length > 0) text.Append(", ");
            if (text.Length + name.Length > MaxLength) return text.Append("...").ToString();
            text.Append(name);
        }
        return text.ToString();
    }
}
