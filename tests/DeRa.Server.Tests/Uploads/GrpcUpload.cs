using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;

namespace DeRa.Server.Tests.Uploads;

/// <summary>A unary call whose message is announced, begun, and goes on only when a test says so.</summary>
internal sealed class GrpcUpload(int bytes, int begun) : HttpContent
{
    private readonly TaskCompletionSource _rest = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Sends the call's beginning.</summary>
    /// <returns>The response, once there is one.</returns>
    public Task<HttpResponseMessage> SendAsync(
        HttpClient http, Uri server, string? key = null, string method = "Generate", CancellationToken cancellation = default)
    {
        Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var request = new HttpRequestMessage(HttpMethod.Post, new Uri(server, "/dera.v1.InferenceService/" + method))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = this,
        };
        request.Headers.TE.ParseAdd("trailers");
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    /// <summary>The call's status: in a response of headers alone.</summary>
    public static int Status(HttpResponseMessage response) => int.Parse(response.Headers.GetValues("grpc-status").Single(), null);

    /// <summary>Sends the rest of the message, which holds nothing.</summary>
    public void Finish() => _rest.TrySetResult();

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var frame = new byte[5 + bytes];
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(1), bytes);
        await stream.WriteAsync(frame.AsMemory(0, 5 + begun), cancellationToken);
        await stream.FlushAsync(cancellationToken);
        await _rest.Task.WaitAsync(cancellationToken);
        await stream.WriteAsync(frame.AsMemory(5 + begun), cancellationToken);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
