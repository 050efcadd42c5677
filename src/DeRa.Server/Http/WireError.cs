using System.Text.Json;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Hosting.Security;
using DeRa.Server.Composition;
using DeRa.Server.Uploads;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http;

/// <summary>An error as HTTP clients see it: the status, the four keys of the body, and what the headers say about trying again.</summary>
internal sealed record WireError(int Status, string Type, string Message, string? Param = null, string? Code = null)
{
    /// <summary>Seconds after which to try again; null = the client decides.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>False where the same request would fail again.</summary>
    public bool MayRetry { get; init; } = true;

    /// <summary>The one place that maps what went wrong to HTTP.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="requestId">The request's id, which a client may report.</param>
    public static WireError For(Exception fault, string requestId) => fault switch
    {
        InvalidRequestException { Code: InvalidRequestException.ModelNotFound } unknown =>
            Invalid(StatusCodes.Status404NotFound, unknown.Message, unknown.Field, unknown.Code),
        InvalidRequestException bad => Invalid(StatusCodes.Status400BadRequest, bad.Message, bad.Field, bad.Code),
        KeyRefusedException refused =>
            new(StatusCodes.Status401Unauthorized, "authentication_error", refused.Message, Code: "invalid_api_key"),
        LimitExceededException tooMuch => new(StatusCodes.Status429TooManyRequests, "rate_limit_error", tooMuch.Message, Code: "rate_limit_exceeded")
        {
            RetryAfterSeconds = tooMuch.RetryAfterSeconds,
        },
        HostRefusedException refused => Invalid(StatusCodes.Status421MisdirectedRequest, refused.Message),
        HttpRefusal refusal => Invalid(refusal.Status, refusal.Message),
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } late =>
            new(StatusCodes.Status408RequestTimeout, "timeout_error", late.Message),
        BadHttpRequestException bad => Invalid(bad.StatusCode, bad.Message),
        UploadTooSlowException late => new(StatusCodes.Status408RequestTimeout, "timeout_error", late.Message),
        BodiesFullException full => Overloaded(full.Message, 1),
        AdmissionException { Reason: AdmissionReason.QueueFull } full => Overloaded(full.Message, 1),
        AdmissionException closed => Overloaded(closed.Message, 10),
        NotServingException closed => Overloaded(closed.Message, 5),
        DeadlineExceededException late => new(StatusCodes.Status408RequestTimeout, "timeout_error", late.Message),
        GenerationFailedException { IsStopped: true } stopped => Overloaded(stopped.Message, 10),
        GenerationFailedException => Internal(requestId),
        _ => Internal(requestId) with { MayRetry = false },
    };

    /// <summary>A request that its sender must change.</summary>
    public static WireError Invalid(int status, string message, string? param = null, string? code = null) =>
        new(status, "invalid_request_error", message, param, code);

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

    private static WireError Overloaded(string message, int retryAfterSeconds) =>
        new(StatusCodes.Status503ServiceUnavailable, "overloaded_error", message) { RetryAfterSeconds = retryAfterSeconds };

    /// <summary>What went wrong inside stays inside: the log has it under the request's id.</summary>
    private static WireError Internal(string requestId) =>
        new(StatusCodes.Status500InternalServerError, "server_error", $"The request failed inside the server; its id is {requestId}.");
}
