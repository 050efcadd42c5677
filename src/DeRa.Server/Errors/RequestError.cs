using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Hosting.Security;
using DeRa.Server.State;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using Google.Protobuf;

namespace DeRa.Server.Errors;

/// <summary>What went wrong with a request, before a transport puts it into words of its own.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Message">What is wrong and what is allowed. For clients only where it is not the server's own fault.</param>
internal sealed record RequestError(ErrorKind Kind, string Message)
{
    /// <summary>The field that is wrong, as the wire names it; null = none.</summary>
    public string? Field { get; init; }

    /// <summary>A code that clients read, where it is not the kind's.</summary>
    public string? Code { get; init; }

    /// <summary>HTTP's status, where it is not the kind's.</summary>
    public int? HttpStatus { get; init; }

    /// <summary>Seconds after which to try again, where they are not the kind's.</summary>
    public int? RetryAfterSeconds { get; init; }

    /// <summary>How transports report it.</summary>
    public ErrorRow Row => ErrorTable.Rows[Kind];

    /// <summary>Classifies what was thrown.</summary>
    public static RequestError Of(Exception fault) => fault switch
    {
        InvalidRequestException { Code: InvalidRequestException.ModelNotFound } unknown => OfField(ErrorKind.UnknownModel, unknown),
        InvalidRequestException bad => OfField(ErrorKind.InvalidField, bad),
        GenerationNotFoundException => new(ErrorKind.UnknownGeneration, fault.Message),
        HttpRefusal refusal => new(ErrorKind.InvalidHttp, refusal.Message) { HttpStatus = refusal.Status },
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => new(ErrorKind.HttpTimeout, fault.Message),
        BadHttpRequestException bad => new(ErrorKind.InvalidHttp, bad.Message) { HttpStatus = bad.StatusCode },
        InvalidProtocolBufferException => new(ErrorKind.MalformedMessage, $"The message cannot be read: {fault.Message}"),
        KeyRefusedException => new(ErrorKind.InvalidKey, fault.Message),
        LimitExceededException limited => new(ErrorKind.RateLimited, limited.Message) { RetryAfterSeconds = limited.RetryAfterSeconds },
        HostRefusedException => new(ErrorKind.WrongHost, fault.Message),
        UploadTooSlowException or DeadlineExceededException => new(ErrorKind.DeadlineExceeded, fault.Message),
        BodiesFullException => new(ErrorKind.BodiesFull, fault.Message),
        AdmissionException { Reason: AdmissionReason.QueueFull } => new(ErrorKind.QueueFull, fault.Message),
        NotServingException => new(ErrorKind.NotServing, fault.Message),
        AdmissionException or GenerationFailedException { IsStopped: true } => new(ErrorKind.EngineStopped, fault.Message),
        OperationCanceledException => new(ErrorKind.Cancelled, "The call was cancelled."),
        GenerationFailedException => new(ErrorKind.GenerationFailed, fault.Message),
        _ => new(ErrorKind.Internal, fault.Message),
    };

    /// <summary>What clients get for a fault inside, which stays inside: the log has it under the request's id.</summary>
    public static string InternalMessage(string requestId) => $"The request failed inside the server; its id is {requestId}.";

    private static RequestError OfField(ErrorKind kind, InvalidRequestException bad) =>
        new(kind, bad.Message) { Field = bad.Field, Code = bad.Code };
}
