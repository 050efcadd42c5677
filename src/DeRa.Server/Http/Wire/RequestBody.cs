using System.Buffers;
using System.Text;
using System.Text.Json;
using DeRa.Server.Errors;
using DeRa.Serving.Requests;
using Microsoft.Net.Http.Headers;

namespace DeRa.Server.Http.Wire;

/// <summary>Reads a request's body as one JSON object.</summary>
internal static class RequestBody
{
    /// <summary>
    /// Reads the whole body; its size is bounded by the server's options. What it lies in is the reader's, until that advances.
    /// </summary>
    /// <exception cref="HttpRefusal">Another media type, or a compressed body.</exception>
    public static async Task<ReadOnlySequence<byte>> ReadAsync(HttpRequest request, CancellationToken cancellation)
    {
        CheckMediaType(request.ContentType);
        CheckEncoding(request.Headers.ContentEncoding);
        var read = await request.BodyReader.ReadAsync(cancellation);
        while (!read.IsCompleted)
        {
            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            read = await request.BodyReader.ReadAsync(cancellation);
        }
        return read.Buffer;
    }

    /// <summary>Parses a body.</summary>
    /// <param name="body">The body; what is returned may lie in it.</param>
    /// <param name="maxDepth">How deep it may be nested.</param>
    /// <exception cref="HttpRefusal">No JSON object.</exception>
    /// <exception cref="InvalidRequestException">No JSON, with the field in which it goes wrong.</exception>
    public static JsonDocument Parse(ReadOnlySequence<byte> body, int maxDepth)
    {
        var document = ParseAny(WithoutPreamble(body), maxDepth);
        if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
        document.Dispose();
        throw new HttpRefusal(StatusCodes.Status400BadRequest, "The body must be a JSON object.");
    }

    private static void CheckMediaType(string? text)
    {
        if (MediaTypeHeaderValue.TryParse(text, out var type)
            && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            && (!type.Charset.HasValue
                || HeaderUtilities.RemoveQuotes(type.Charset).Equals("utf-8", StringComparison.OrdinalIgnoreCase))) return;
        throw new HttpRefusal(StatusCodes.Status415UnsupportedMediaType,
            "The body must be JSON in UTF-8: send it with the header 'Content-Type: application/json'.");
    }

    private static void CheckEncoding(string? encoding)
    {
        if (string.IsNullOrEmpty(encoding) || encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)) return;
        throw new HttpRefusal(StatusCodes.Status415UnsupportedMediaType,
            $"The body has 'Content-Encoding: {encoding}'; send it without: compressed bodies are not read.");
    }

    /// <summary>Some clients mark UTF-8 so; JSON lets a reader take it.</summary>
    private static ReadOnlySequence<byte> WithoutPreamble(ReadOnlySequence<byte> body)
    {
        var reader = new SequenceReader<byte>(body);
        return reader.IsNext(Encoding.UTF8.Preamble) ? body.Slice(Encoding.UTF8.Preamble.Length) : body;
    }

    private static JsonDocument ParseAny(ReadOnlySequence<byte> body, int maxDepth)
    {
        try
        {
            return JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = maxDepth, AllowDuplicateProperties = false });
        }
        catch (JsonException fault)
        {
            var message = $"The body is not valid JSON: {fault.Message}";
            throw FieldAtFault(body, maxDepth) is { } field ? new InvalidRequestException(field, message)
                : new HttpRefusal(StatusCodes.Status400BadRequest, message);
        }
        catch (InvalidOperationException)
        {
            throw new HttpRefusal(StatusCodes.Status400BadRequest, "The body is not valid JSON: it holds text that is not Unicode.");
        }
    }

    /// <summary>The outermost field in which the reader gets stuck (on NaN, say) or a name comes twice; null where there is none.</summary>
    private static string? FieldAtFault(ReadOnlySequence<byte> body, int maxDepth)
    {
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = maxDepth });
        var names = new Stack<HashSet<string>>();
        string? field = null;
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.StartObject) names.Push([]);
                if (reader.TokenType == JsonTokenType.EndObject) names.Pop();
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                var name = reader.GetString()!;
                if (reader.CurrentDepth == 1) field = name;
                if (!names.Peek().Add(name)) return field;
            }
            return null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            return field;
        }
    }
}
