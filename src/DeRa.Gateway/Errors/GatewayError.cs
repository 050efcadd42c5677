using System.Text.Encodings.Web;
using System.Text.Json;
using DeRa.Hosting.Listening;

namespace DeRa.Gateway.Errors;

/// <summary>An error of the gateway's own, in the form in which its replicas report theirs.</summary>
/// <param name="Status">HTTP's status.</param>
/// <param name="GrpcCode">gRPC's status, by its number.</param>
/// <param name="Type">The kind, in HTTP's body.</param>
/// <param name="Message">What is wrong, in a sentence.</param>
public sealed record GatewayError(int Status, int GrpcCode, string Type, string Message)
{
    private const int DeadlineExceeded = 4, PermissionDenied = 7, ResourceExhausted = 8, Internal = 13, Unavailable = 14,
        Unauthenticated = 16;
    private const string Invalid = "invalid_request_error", Overloaded = "overloaded_error", Timeout = "timeout_error";

    private static readonly JsonWriterOptions s_format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The kind of this very error; null = the type says it.</summary>
    public string? Code { get; init; }

    /// <summary>Seconds after which to try again; null = the client decides.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>No replica is ready.</summary>
    public static GatewayError NoReplica { get; } =
        new(StatusCodes.Status503ServiceUnavailable, Unavailable, Overloaded, "No replica is ready.") { RetryAfterSeconds = 5 };

    /// <summary>No replica serves gRPC.</summary>
    public static GatewayError NoGrpcReplica { get; } = NoReplica with { Message = "No replica that serves gRPC is ready." };

    /// <summary>The gateway is about to end.</summary>
    public static GatewayError Draining { get; } = NoReplica with { Message = "The gateway is shutting down." };

    /// <summary>Each replica that was tried could not be reached.</summary>
    public static GatewayError Unreachable { get; } = NoReplica with { Message = "No replica could be reached." };

    /// <summary>The body did not come in time.</summary>
    /// <param name="seconds">How long it had.</param>
    public static GatewayError TooSlow(int seconds) =>
        new(StatusCodes.Status408RequestTimeout, DeadlineExceeded, Timeout, $"The body has not arrived in {seconds} s (--body-seconds).");

    /// <summary>The body is too long.</summary>
    /// <param name="most">What it may have, in bytes.</param>
    public static GatewayError TooLarge(int most) =>
        new(StatusCodes.Status413PayloadTooLarge, ResourceExhausted, Invalid,
            $"A request may have at most {most} bytes (--max-body-bytes).");

    /// <summary>Too many bodies wait for their responses.</summary>
    public static GatewayError BodiesFull { get; } =
        NoReplica with { Message = "Too many requests wait for their responses to begin.", RetryAfterSeconds = 1 };

    /// <summary>Nothing came from the replica. Over gRPC not UNAVAILABLE: clients would ask again at once for what takes so long.</summary>
    /// <param name="seconds">For how long.</param>
    public static GatewayError TimedOut(int seconds) =>
        new(StatusCodes.Status504GatewayTimeout, DeadlineExceeded, Timeout,
            $"Nothing came from the replica for {seconds} s (--idle-seconds).");

    /// <summary>The replica broke off its response.</summary>
    public static GatewayError BrokenOff { get; } =
        new(StatusCodes.Status502BadGateway, Unavailable, "server_error", "The replica broke off its response.")
        {
            Code = "replica_failed",
        };

    /// <summary>No key, or a wrong one.</summary>
    public static GatewayError NoKey(string message) =>
        new(StatusCodes.Status401Unauthorized, Unauthenticated, "authentication_error", message) { Code = "invalid_api_key" };

    /// <summary>A host name that is not the gateway's.</summary>
    public static GatewayError WrongHost(string message) =>
        new(StatusCodes.Status421MisdirectedRequest, PermissionDenied, Invalid, message);

    /// <summary>Too many requests of a key.</summary>
    public static GatewayError RateLimited(string message, int seconds) =>
        new(StatusCodes.Status429TooManyRequests, ResourceExhausted, "rate_limit_error", message)
        {
            Code = "rate_limit_exceeded",
            RetryAfterSeconds = seconds,
        };

    /// <summary>The request asks for a tunnel.</summary>
    public static GatewayError NoTunnel { get; } = BadRequest(StatusCodes.Status501NotImplemented, "CONNECT is not supported.");

    /// <summary>The request cannot be sent on, to no replica.</summary>
    /// <param name="reason">Why.</param>
    public static GatewayError Unsendable(string reason) =>
        BadRequest(StatusCodes.Status400BadRequest, $"The request cannot be passed on to a replica: {reason}");

    /// <summary>The request itself cannot be read.</summary>
    public static GatewayError BadRequest(int status, string message) => new(status, Internal, Invalid, message);

    /// <summary>The gateway's own fault.</summary>
    public static GatewayError Fault(string requestId) =>
        new(StatusCodes.Status500InternalServerError, Internal, "server_error",
            $"The gateway has failed; its log has more under {requestId}.");

    /// <summary>Writes gRPC's status: into the headers of a response that is nothing else, or into the trailers of one.</summary>
    public void WriteStatus(IHeaderDictionary fields) =>
        GrpcStatusFields.Write(fields, GrpcCode, Message, StatusDetails.Write(this));

    /// <summary>The error's object: one key, <c>error</c>, with exactly four keys in it.</summary>
    public byte[] ToJson()
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes, s_format))
        {
            json.WriteStartObject();
            json.WriteStartObject("error"u8);
            json.WriteString("message"u8, Message);
            json.WriteString("type"u8, Type);
            json.WriteNull("param"u8);
            json.WriteString("code"u8, Code);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }
}
