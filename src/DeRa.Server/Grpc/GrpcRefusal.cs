using System.Globalization;
using Google.Protobuf;
using RpcStatus = Google.Rpc.Status;

namespace DeRa.Server.Grpc;

/// <summary>Answers a call that has not reached gRPC's own machinery: headers alone, which carry the status ("trailers-only").</summary>
internal static class GrpcRefusal
{
    private const string MediaType = "application/grpc";

    /// <summary>Whether a request is a gRPC call.</summary>
    public static bool IsCall(HttpRequest request) =>
        request.ContentType?.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Sets the answer; it goes out when the request ends.</summary>
    public static void Answer(HttpResponse response, RpcStatus status)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = MediaType;
        response.Headers["grpc-status"] = status.Code.ToString(CultureInfo.InvariantCulture);
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Message);
        response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(status.ToByteArray());
    }
}
