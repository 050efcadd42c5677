using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace DeRa.Gateway.Errors;

/// <summary>The details of a status of gRPC (<c>google.rpc</c>), as a header or trailer has them.</summary>
public static class StatusDetails
{
    /// <summary>A status with those of an error of the gateway's own: the same as a replica gives.</summary>
    public static byte[] Write(GatewayError error)
    {
        var status = new RpcStatus { Code = error.GrpcCode, Message = error.Message };
        if (error.Code is { } code) status.Details.Add(Any.Pack(new ErrorInfo { Reason = code.ToUpperInvariant(), Domain = "dera" }));
        if (error.RetryAfterSeconds is { } seconds)
            status.Details.Add(Any.Pack(new RetryInfo { RetryDelay = Duration.FromTimeSpan(TimeSpan.FromSeconds(seconds)) }));
        return status.ToByteArray();
    }

    /// <summary>The reason in ErrorInfo; null = there is none, or the details cannot be read.</summary>
    /// <param name="header">The header's value; base64 with or without its padding.</param>
    public static string? ReasonIn(string header)
    {
        try
        {
            var padded = header.PadRight((header.Length + 3) / 4 * 4, '=');
            var status = RpcStatus.Parser.ParseFrom(Convert.FromBase64String(padded));
            return status.Details.FirstOrDefault(detail => detail.Is(ErrorInfo.Descriptor))?.Unpack<ErrorInfo>().Reason;
        }
        catch (Exception other) when (other is FormatException or InvalidProtocolBufferException)
        {
            return null;
        }
    }
}
