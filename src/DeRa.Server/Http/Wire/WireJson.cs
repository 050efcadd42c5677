using System.Text.Encodings.Web;
using System.Text.Json;

namespace DeRa.Server.Http.Wire;

/// <summary>How JSON is written everywhere here.</summary>
internal static class WireJson
{
    /// <summary>
    /// Text stays as it is instead of being escaped for HTML: responses go out as JSON, not inside a page. Validation is off
    /// because the writers' shapes are fixed and tested.
    /// </summary>
    public static JsonWriterOptions Format { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes a whole response body.</summary>
    /// <param name="response">Where to; headers must not be out yet.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="write">Writes the body.</param>
    public static async Task RespondAsync(HttpResponse response, int status, Action<Utf8JsonWriter> write)
    {
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        await using (var json = new Utf8JsonWriter(response.BodyWriter, Format)) write(json);
        await response.BodyWriter.FlushAsync(response.HttpContext.RequestAborted);
    }
}
