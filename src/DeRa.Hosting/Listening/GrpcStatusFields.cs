using System.Globalization;

namespace DeRa.Hosting.Listening;

/// <summary>gRPC's status over HTTP: in the headers of a response that is nothing else ("Trailers-Only"), or in its trailers.</summary>
public static class GrpcStatusFields
{
    /// <summary>The field with the whole status, details too: <c>google.rpc.Status</c> in base64.</summary>
    public const string Details = "grpc-status-details-bin";

    /// <summary>Writes a status.</summary>
    /// <param name="fields">Headers or trailers.</param>
    /// <param name="code">The status, by its number.</param>
    /// <param name="message">What is wrong.</param>
    /// <param name="status">The same as a message of <c>google.rpc.Status</c>.</param>
    public static void Write(IHeaderDictionary fields, int code, string message, ReadOnlySpan<byte> status)
    {
        fields["grpc-status"] = code.ToString(CultureInfo.InvariantCulture);
        fields["grpc-message"] = Uri.EscapeDataString(message);
        fields[Details] = Convert.ToBase64String(status);
    }
}
