using DeRa.Hosting.Listening;
using Google.Protobuf;
using RpcStatus = Google.Rpc.Status;

namespace DeRa.Server.Grpc;

/// <summary>
/// The response to a call that has not reached gRPC's own machinery: headers alone, which carry the status ("Trailers-Only").
/// </summary>
internal static class TrailersOnlyResponse
{
    /// <summary>Sets the response; it goes out when the request ends.</summary>
    public static void Set(HttpResponse response, RpcStatus status)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = GrpcRequests.MediaType;
        GrpcStatusFields.Write(response.Headers, status.Code, status.Message, status.ToByteArray());
    }
}
