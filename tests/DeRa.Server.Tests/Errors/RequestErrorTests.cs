using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Hosting.Security;
using DeRa.Server.Errors;
using DeRa.Server.State;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace DeRa.Server.Tests.Errors;

public class RequestErrorTests
{
    private const string RequestId = "0123";

    public static TheoryData<string, int, string, string?, int?, string> Faults => new()
    {
        { nameof(InvalidRequestException), 400, "invalid_request_error", null, null, "InvalidArgument BadRequest" },
        { nameof(KeyRefusedException), 401, "authentication_error", "invalid_api_key", null, "Unauthenticated ErrorInfo" },
        { nameof(LimitExceededException), 429, "rate_limit_error", "rate_limit_exceeded", 7, "ResourceExhausted ErrorInfo RetryInfo" },
        { nameof(HostRefusedException), 421, "invalid_request_error", null, null, "PermissionDenied" },
        { nameof(HttpRefusal), 415, "invalid_request_error", null, null, "InvalidArgument" },
        { nameof(BadHttpRequestException), 413, "invalid_request_error", null, null, "InvalidArgument" },
        { nameof(UploadTooSlowException), 408, "timeout_error", null, null, "DeadlineExceeded" },
        { nameof(DeadlineExceededException), 408, "timeout_error", null, null, "DeadlineExceeded" },
        { nameof(BodiesFullException), 503, "overloaded_error", null, 1, "Unavailable RetryInfo" },
        { nameof(AdmissionReason.QueueFull), 503, "overloaded_error", null, 1, "ResourceExhausted ErrorInfo RetryInfo" },
        { nameof(AdmissionReason.Draining), 503, "overloaded_error", null, 10, "Unavailable RetryInfo" },
        { nameof(NotServingException), 503, "overloaded_error", null, 5, "Unavailable RetryInfo" },
        { nameof(GenerationFailedException.IsStopped), 503, "overloaded_error", null, 10, "Unavailable RetryInfo" },
        { nameof(GenerationFailedException), 500, "server_error", null, null, "Internal RequestInfo" },
        { nameof(InvalidOperationException), 500, "server_error", null, null, "Internal RequestInfo" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_the_same_error_over_both_transports(
        string fault, int status, string type, string? code, int? retryAfterSeconds, string grpc)
    {
        var http = HttpError.For(Fault(fault), RequestId);
        Assert.Equal((status, type, code, retryAfterSeconds), (http.Status, http.Type, http.Code, http.RetryAfterSeconds));
        var call = GrpcError.For(Fault(fault), RequestId);
        Assert.Equal(grpc, string.Join(' ', call.Details.Select(detail => Any.GetTypeName(detail.TypeUrl).Split('.')[^1])
            .Prepend(((Code)call.Code).ToString())));
        Assert.Equal(http.Message, call.Message);
    }

    [Fact]
    public void Every_kind_has_a_row() => Assert.Equal(System.Enum.GetValues<ErrorKind>().ToHashSet(), ErrorTable.Rows.Keys.ToHashSet());

    [Fact]
    public void What_is_the_servers_fault_keeps_its_message_to_itself()
    {
        var secret = new InvalidOperationException("secret");
        Assert.DoesNotContain("secret", HttpError.For(secret, RequestId).Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", GrpcError.For(secret, RequestId).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_a_fault_of_unknown_cause_is_not_worth_another_try()
    {
        Assert.False(HttpError.For(Fault(nameof(InvalidOperationException)), RequestId).MayRetry);
        Assert.True(HttpError.For(Fault(nameof(GenerationFailedException)), RequestId).MayRetry);
    }

    private static Exception Fault(string name) => name switch
    {
        nameof(InvalidRequestException) => new InvalidRequestException("top_p", "'top_p' is 2."),
        nameof(KeyRefusedException) => new KeyRefusedException(wasPresented: true),
        nameof(LimitExceededException) => new LimitExceededException("Too many.", 7),
        nameof(HostRefusedException) => new HostRefusedException(),
        nameof(HttpRefusal) => new HttpRefusal(StatusCodes.Status415UnsupportedMediaType, "Another media type."),
        nameof(BadHttpRequestException) => new BadHttpRequestException("Too long.", StatusCodes.Status413PayloadTooLarge),
        nameof(UploadTooSlowException) => new UploadTooSlowException(TimeSpan.FromSeconds(1)),
        nameof(DeadlineExceededException) => new DeadlineExceededException(TimeSpan.FromSeconds(1)),
        nameof(BodiesFullException) => new BodiesFullException(),
        nameof(AdmissionReason.QueueFull) => new AdmissionException(AdmissionReason.QueueFull, "Full."),
        nameof(AdmissionReason.Draining) => new AdmissionException(AdmissionReason.Draining, "Draining."),
        nameof(NotServingException) => new NotServingException(ServingPhase.Loading),
        nameof(GenerationFailedException.IsStopped) => new GenerationFailedException("Stopped.") { IsStopped = true },
        nameof(GenerationFailedException) => new GenerationFailedException("Failed."),
        _ => new InvalidOperationException("Broken."),
    };
}
