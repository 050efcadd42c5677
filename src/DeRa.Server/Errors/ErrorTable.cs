using Google.Rpc;

namespace DeRa.Server.Errors;

/// <summary>How the transports report a kind of error.</summary>
/// <param name="HttpStatus">HTTP's status; an error may bring its own.</param>
/// <param name="HttpType"><c>type</c> in HTTP's body.</param>
/// <param name="GrpcCode">gRPC's status.</param>
internal sealed record ErrorRow(int HttpStatus, string HttpType, Code GrpcCode)
{
    /// <summary><c>code</c> in HTTP's body; an error may bring its own.</summary>
    public string? Code { get; init; }

    /// <summary><c>reason</c> in gRPC's ErrorInfo, where the status alone does not say it; null = it does.</summary>
    public string? GrpcReason { get; init; }

    /// <summary>Seconds after which to try again; null = the client decides. An error may bring its own.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>False where the same request would fail again.</summary>
    public bool MayRetry { get; init; } = true;
}

/// <summary>The table of all errors: what each kind is to HTTP and to gRPC.</summary>
internal static class ErrorTable
{
    private const string Invalid = "invalid_request_error";
    private const string Overloaded = "overloaded_error";
    private const string Timeout = "timeout_error";
    private const string ServerError = "server_error";

    /// <summary>The rows, by kind.</summary>
    public static IReadOnlyDictionary<ErrorKind, ErrorRow> Rows { get; } = new Dictionary<ErrorKind, ErrorRow>
    {
        [ErrorKind.InvalidField] = new(StatusCodes.Status400BadRequest, Invalid, Code.InvalidArgument),
        [ErrorKind.UnknownModel] = new(StatusCodes.Status404NotFound, Invalid, Code.NotFound),
        [ErrorKind.UnknownGeneration] = new(StatusCodes.Status404NotFound, Invalid, Code.NotFound) { Code = "generation_not_found" },
        [ErrorKind.InvalidHttp] = new(StatusCodes.Status400BadRequest, Invalid, Code.InvalidArgument),
        [ErrorKind.HttpTimeout] = new(StatusCodes.Status408RequestTimeout, Timeout, Code.InvalidArgument),
        [ErrorKind.MalformedMessage] = new(StatusCodes.Status400BadRequest, Invalid, Code.InvalidArgument),
        [ErrorKind.InvalidKey] = new(StatusCodes.Status401Unauthorized, "authentication_error", Code.Unauthenticated)
        {
            Code = "invalid_api_key",
            GrpcReason = "INVALID_API_KEY",
        },
        [ErrorKind.RateLimited] = new(StatusCodes.Status429TooManyRequests, "rate_limit_error", Code.ResourceExhausted)
        {
            Code = "rate_limit_exceeded",
            GrpcReason = "RATE_LIMIT_EXCEEDED",
        },
        [ErrorKind.WrongHost] = new(StatusCodes.Status421MisdirectedRequest, Invalid, Code.PermissionDenied),
        [ErrorKind.DeadlineExceeded] = new(StatusCodes.Status408RequestTimeout, Timeout, Code.DeadlineExceeded),
        [ErrorKind.BodiesFull] = Unavailable(retryAfterSeconds: 1),
        [ErrorKind.QueueFull] = new(StatusCodes.Status503ServiceUnavailable, Overloaded, Code.ResourceExhausted)
        {
            // Another server may have room; a key's limits are the same there.
            GrpcReason = "QUEUE_FULL",
            RetryAfterSeconds = 1,
        },
        [ErrorKind.NotServing] = Unavailable(retryAfterSeconds: 5),
        [ErrorKind.EngineStopped] = Unavailable(retryAfterSeconds: 10),
        // Where HTTP's client is still there, nothing should have been cancelled.
        [ErrorKind.Cancelled] = new(StatusCodes.Status500InternalServerError, ServerError, Code.Cancelled) { MayRetry = false },
        [ErrorKind.GenerationFailed] = new(StatusCodes.Status500InternalServerError, ServerError, Code.Internal),
        [ErrorKind.Internal] = new(StatusCodes.Status500InternalServerError, ServerError, Code.Internal) { MayRetry = false },
    };

    private static ErrorRow Unavailable(int retryAfterSeconds) =>
        new(StatusCodes.Status503ServiceUnavailable, Overloaded, Code.Unavailable) { RetryAfterSeconds = retryAfterSeconds };
}
