using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;

namespace DeRa.Client.Http;

/// <summary>The errors of HTTP responses.</summary>
internal static class HttpError
{
    /// <summary>A response that refuses.</summary>
    public static ClientResultException Of(PipelineResponse response) => Read(response.Content) is var (message, field)
        ? new($"HTTP {response.Status}{(field is null ? "" : $", {field}")}: {message}", response) : new(response);

    /// <summary>An error in the middle of a stream, whose status was sent long before.</summary>
    public static ClientResultException InStream(JsonElement body)
    {
        var (message, field) = Read(body);
        return new ClientResultException(field is null ? message : $"{field}: {message}");
    }

    /// <summary>What a response says; null where it is not the server's.</summary>
    public static (string Message, string? Field)? Read(BinaryData content)
    {
        try
        {
            using var json = JsonDocument.Parse(content);
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("error", out _)
                ? Read(json.RootElement) : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static (string Message, string? Field) Read(JsonElement body)
    {
        var error = body.GetProperty("error");
        if (error.ValueKind != JsonValueKind.Object) return (error.ToString(), null);
        string? Text(string name) => error.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString() : null;
        return (Text("message") ?? "", Text("param"));
    }
}
