using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using static DeRa.Protos.V1.InferenceService;
using RpcStatus = Google.Rpc.Status;

namespace DeRa.Server.Errors;

/// <summary>An error as gRPC clients see it: a status with its details.</summary>
internal static class GrpcError
{
    /// <summary>Fields that are not among the message <c>GenerationOptions</c>.</summary>
    private static readonly string[] OutsideOptions = ["model", "prompt", "more_prompts", "conversation", "token_ids", "change", "event"];

    /// <summary>The status for what went wrong.</summary>
    /// <param name="fault">What went wrong.</param>
    /// <param name="requestId">The request's id, which a client may report.</param>
    /// <param name="method">
    /// The method that was called, which decides where a field stands: in <c>Converse</c> in <c>start</c>, in <c>Score</c> not in options.
    /// </param>
    public static RpcStatus For(Exception fault, string requestId, string? method = null)
    {
        var error = RequestError.Of(fault);
        var code = error.Row.GrpcCode;
        var message = code == Code.Internal ? RequestError.InternalMessage(requestId) : error.Message;
        var status = new RpcStatus { Code = (int)code, Message = message };
        status.Details.AddRange(Details(error, requestId, method).Select(Any.Pack));
        return status;
    }

    private static IEnumerable<IMessage> Details(RequestError error, string requestId, string? method)
    {
        if (error.Kind == ErrorKind.UnknownModel) yield return new ResourceInfo { ResourceType = "model", Description = error.Message };
        if (error.Field is { } field) yield return Violation(field, error.Message, method);
        if (error.Row.GrpcReason is { } reason) yield return new ErrorInfo { Reason = reason, Domain = "dera" };
        if ((error.RetryAfterSeconds ?? error.Row.RetryAfterSeconds) is { } seconds)
            yield return new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)) };
        if (error.Row.GrpcCode == Code.Internal) yield return new RequestInfo { RequestId = requestId };
    }

    private static BadRequest Violation(string name, string message, string? method)
    {
        var root = name.Split('.', '[')[0];
        var field = method == nameof(InferenceServiceBase.Score) || OutsideOptions.Contains(root) ? name : $"options.{name}";
        return new BadRequest
        {
            FieldViolations =
            {
                new BadRequest.Types.FieldViolation
                {
                    Field = method == nameof(InferenceServiceBase.Converse) && root is not ("change" or "event") ? $"start.{field}" : field,
                    Description = message,
                },
            },
        };
    }
}
