using System.Net;
using DeRa.Gateway.Errors;
using DeRa.Gateway.Replicas;
using DeRa.Hosting.Listening;

namespace DeRa.Gateway.Forwarding;

/// <summary>A request and what chooses its replica.</summary>
/// <param name="IsGrpc">Whether it is a call of gRPC.</param>
/// <param name="Key">The hash of what its prompt begins with; null = it has none.</param>
/// <param name="GenerationId">The running generation that it is about; null = none.</param>
/// <param name="Body">Its body; null = it has none.</param>
internal sealed record RoutedRequest(bool IsGrpc, ulong? Key, string? GenerationId, ReplayedBody? Body)
{
    private const string GrpcResourceExhausted = "8", GrpcUnavailable = "14";

    /// <summary>What a replica gives as the reason where its queue is full; where a key's limits are reached it gives another.</summary>
    private const string QueueFull = "QUEUE_FULL";

    /// <summary>Where a replica serves it.</summary>
    public Uri AddressOf(Replica replica) => IsGrpc ? replica.Address.Grpc! : replica.Address.Http;

    /// <summary>Why another replica may take what this response refuses; null = it is a response.</summary>
    public string? RefusalIn(HttpResponseMessage response)
    {
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable) return "503";
        // Headers alone, with the status among them ("Trailers-Only"): nothing has been generated.
        if (IsGrpc) return Value(response, "grpc-status") switch
        {
            GrpcUnavailable => "UNAVAILABLE",
            GrpcResourceExhausted when Value(response, GrpcStatusFields.Details) is { } details
                && StatusDetails.ReasonIn(details) == QueueFull => QueueFull,
            _ => null,
        };
        return GenerationId is not null && response.StatusCode == HttpStatusCode.NotFound ? "404" : null;
    }

    private static string? Value(HttpResponseMessage response, string header) =>
        response.Headers.TryGetValues(header, out var values) ? values.FirstOrDefault() : null;
}
