namespace DeRa.Hosting.Listening;

/// <summary>Recognises gRPC calls among requests.</summary>
public static class GrpcRequests
{
    /// <summary>The media type of gRPC's messages.</summary>
    public const string MediaType = "application/grpc";

    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool IsGrpc(this HttpRequest request) =>
        request.ContentType?.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase) == true;
}
