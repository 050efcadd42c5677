using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Hosting.Security;
using DeRa.Server.Composition;
using DeRa.Server.Http;
using DeRa.Server.Uploads;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace DeRa.Server.Grpc;

/// <summary>The one place that maps what went wrong to a gRPC status with its details.</summary>
internal static class GrpcErrors
{
    /// <summary>Fields that are not among the message <c>GenerationOptions</c>.</summary>
    private static readonly string[] OutsideOptions = ["model", "prompt", "more_prompts", "conversation", "token_ids", "change", "event"];

    /// <summary>The status for what went wrong.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="requestId">The request's id, which a client may report.</param>
    /// <param name="isConversation">Whether the call is <c>Converse</c>, where what a request holds stands in <c>start</c>.</param>
    public static RpcStatus For(Exception fault, string requestId, bool isConversation = false) => fault switch
    {
        InvalidRequestException { Code: InvalidRequestException.ModelNotFound } unknown => Status(Code.NotFound, unknown.Message,
            new ResourceInfo { ResourceType = "model", Description = unknown.Message }, Violation(unknown, isConversation)),
        InvalidRequestException bad => Status(Code.InvalidArgument, bad.Message, Violation(bad, isConversation)),
        KeyRefusedException refused => Status(Code.Unauthenticated, refused.Message, new ErrorInfo { Reason = "INVALID_API_KEY", Domain = "dera" }),
        LimitExceededException tooMuch => Status(Code.ResourceExhausted, tooMuch.Message, RetryAfter(tooMuch.RetryAfterSeconds)),
        HostRefusedException refused => Status(Code.PermissionDenied, refused.Message),
        AdmissionException { Reason: AdmissionReason.QueueFull } full => Status(Code.ResourceExhausted, full.Message, RetryAfter(1)),
        AdmissionException closed => Status(Code.Unavailable, closed.Message, RetryAfter(10)),
        NotServingException closed => Status(Code.Unavailable, closed.Message, RetryAfter(5)),
        UploadTooSlowException late => Status(Code.DeadlineExceeded, late.Message),
        BodiesFullException full => Status(Code.Unavailable, full.Message, RetryAfter(1)),
        BadHttpRequestException or HttpRefusal => Status(Code.InvalidArgument, fault.Message),
        DeadlineExceededException late => Status(Code.DeadlineExceeded, late.Message),
        GenerationFailedException { IsStopped: true } stopped => Status(Code.Unavailable, stopped.Message, RetryAfter(10)),
        InvalidProtocolBufferException malformed => Status(Code.InvalidArgument, $"The message cannot be read: {malformed.Message}"),
        OperationCanceledException => Status(Code.Cancelled, "The call was cancelled."),
        _ => Status(Code.Internal, $"The request failed inside the server; its id is {requestId}.", new RequestInfo { RequestId = requestId }),
    };

    private static BadRequest Violation(InvalidRequestException bad, bool isConversation)
    {
        var root = bad.Field.Split('.', '[')[0];
        var field = OutsideOptions.Contains(root) ? bad.Field : $"options.{bad.Field}";
        return new BadRequest
        {
            FieldViolations =
            {
                new BadRequest.Types.FieldViolation
                {
                    Field = isConversation && root is not ("change" or "event") ? $"start.{field}" : field,
                    Description = bad.Message,
                },
            },
        };
    }

    private static RetryInfo RetryAfter(int seconds) => new() { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)) };

    private static RpcStatus Status(Code code, string message, params IMessage[] details)
    {
        var status = new RpcStatus { Code = (int)code, Message = message };
        status.Details.AddRange(details.Select(Any.Pack));
        return status;
    }
}
