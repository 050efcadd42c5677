using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace DeRa.Gateway.Errors;

/// <summary>
/// Writes errors as <c>google.rpc.Status</c>, which gRPC's clients find in a header of its own: there they look for the time after which to
/// try again. Two short messages, which alone would bring a library along.
/// </summary>
internal static class GrpcStatus
{
    /// <summary>The header that has it, in base64.</summary>
    public const string Header = "grpc-status-details-bin";

    private const int CodeField = 1, MessageField = 2, DetailsField = 3, RetryDelayField = 1;
    private const string RetryInfoUrl = "type.googleapis.com/google.rpc.RetryInfo";

    /// <summary>The header's value for an error.</summary>
    public static string Of(GatewayError error) => Convert.ToBase64String(Write(status =>
    {
        status.WriteTag(CodeField, WireFormat.WireType.Varint);
        status.WriteInt32(error.GrpcCode);
        status.WriteTag(MessageField, WireFormat.WireType.LengthDelimited);
        status.WriteString(error.Message);
        if (error.RetryAfterSeconds is { } seconds) WriteMessage(status, DetailsField, RetryInfo(seconds));
    }));

    private static Any RetryInfo(int seconds) => new()
    {
        TypeUrl = RetryInfoUrl,
        Value = ByteString.CopyFrom(Write(info => WriteMessage(info, RetryDelayField, new Duration { Seconds = seconds }))),
    };

    private static void WriteMessage(CodedOutputStream output, int field, IMessage message)
    {
        output.WriteTag(field, WireFormat.WireType.LengthDelimited);
        output.WriteMessage(message);
    }

    private static byte[] Write(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true)) write(output);
        return bytes.ToArray();
    }
}
