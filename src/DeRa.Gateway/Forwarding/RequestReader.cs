using System.Buffers.Binary;
using DeRa.Gateway.Errors;
using DeRa.Gateway.Keys;
using DeRa.Gateway.Options;
using DeRa.Gateway.Telemetry;
using DeRa.Hosting.Listening;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Gateway.Forwarding;

/// <summary>Reads of a request what chooses its replica: over HTTP the whole body, of a call its first message.</summary>
/// <param name="options">How large bodies may be, and how long they may take.</param>
/// <param name="budget">What all bodies together may take.</param>
/// <param name="time">The clock.</param>
internal sealed class RequestReader(GatewayOptions options, BodyBudget budget, TimeProvider time)
{
    /// <summary>Whether it is compressed, then its length.</summary>
    private const int MessageHeadBytes = 5;

    /// <summary>Reads it.</summary>
    /// <returns>The request, whose body is the caller's to dispose.</returns>
    /// <exception cref="GatewayException">The body is too long, too slow, or there is no room for it.</exception>
    public async Task<RoutedRequest> ReadAsync(HttpContext context)
    {
        var request = context.Request;
        var isGrpc = request.IsGrpc();
        if (!isGrpc && context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == false)
            return new RoutedRequest(false, null, GenerationPath.IdOf(request.Path), null);
        // A stream of messages may go on for as long as its call: its messages are bounded here and by the replica.
        if (isGrpc && context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        var body = new ReplayedBody(request.Body, options.Forwarding.MaxBodyBytes, budget);
        try
        {
            return new RoutedRequest(isGrpc, await KeyAsync(context, isGrpc, body), GenerationPath.IdOf(request.Path), body);
        }
        catch
        {
            await body.DisposeAsync();
            throw;
        }
    }

    private async Task<ulong?> KeyAsync(HttpContext context, bool isGrpc, ReplayedBody body)
    {
        using var late = new CancellationTokenSource(TimeSpan.FromSeconds(options.Connection.BodySeconds), time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            return isGrpc ? await CallKeyAsync(context.Request, body, end.Token) : await JsonKeyAsync(context.Request, body, end.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            throw new GatewayException(GatewayError.TooSlow(options.Connection.BodySeconds));
        }
    }

    private async Task<ulong?> JsonKeyAsync(HttpRequest request, ReplayedBody body, CancellationToken cancellation)
    {
        await body.FillAsync(long.MaxValue, cancellation);
        return HttpMethods.IsPost(request.Method) ? JsonRoutingKey.Read(body.Kept, options.Balancing.PrefixBytes) : null;
    }

    private async Task<ulong?> CallKeyAsync(HttpRequest request, ReplayedBody body, CancellationToken cancellation)
    {
        if (!await body.FillAsync(MessageHeadBytes, cancellation)) return null;
        var length = BinaryPrimitives.ReadUInt32BigEndian(body.Kept.Span[1..]);
        var most = options.Forwarding.MaxBodyBytes;
        if (length > most) throw new GatewayException(GatewayError.TooLarge(most));
        if (!await body.FillAsync(MessageHeadBytes + length, cancellation)) return null;
        var message = (ReadOnlyMemory<byte>?)body.Kept.Slice(MessageHeadBytes, (int)length);
        if (body.Kept.Span[0] != 0) message = CompressedMessage.Unpack(message.Value, request.Headers["grpc-encoding"], most);
        return message is { } read ? GrpcRoutingKey.Read(request.Path.Value ?? "", read.Span, options.Balancing.PrefixBytes) : null;
    }
}
