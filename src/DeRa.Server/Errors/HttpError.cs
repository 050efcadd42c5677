using System.Text.Json;

namespace DeRa.Server.Errors;

/// <summary>An error as HTTP clients see it: the status, the four keys of the body, and what the headers say about trying again.</summary>
internal sealed record HttpError(int Status, string Type, string Message, string? Param, string? Code)
{
    /// <summary>Seconds after which to try again; null = the client decides.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>False where the same request would fail again.</summary>
    public bool MayRetry { get; init; } = true;

    /// <summary>The error for what went wrong.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="requestId">The request's id, which a client may report.</param>
    public static HttpError For(Exception fault, string requestId)
    {
        var error = RequestError.Of(fault);
        var row = error.Row;
        var message = row.HttpStatus == StatusCodes.Status500InternalServerError ? RequestError.InternalMessage(requestId) : error.Message;
        return new HttpError(error.HttpStatus ?? row.HttpStatus, row.HttpType, message, error.Field, error.Code ?? row.Code)
        {
            RetryAfterSeconds = error.RetryAfterSeconds ?? row.RetryAfterSeconds,
            MayRetry = row.MayRetry,
        };
    }

    /// <summary>Writes the error's object: one key, <c>error</c>, with exactly four keys in it.</summary>
    public void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartObject("error"u8);
        json.WriteString("message"u8, Message);
        json.WriteString("type"u8, Type);
        json.WriteString("param"u8, Param);
        json.WriteString("code"u8, Code);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
