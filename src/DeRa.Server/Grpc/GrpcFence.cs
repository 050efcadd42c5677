using DeRa.Server.Telemetry;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace DeRa.Server.Grpc;

/// <summary>Turns whatever a call throws into a status, and logs what is the server's fault.</summary>
internal sealed class GrpcFence(SlowReaders readers, ILogger<GrpcFence> log) : Interceptor
{
    /// <inheritdoc/>
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            return await continuation(request, context);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw Explain(fault, context);
        }
    }

    /// <inheritdoc/>
    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(TRequest request,
        IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(request, readers.Watch(responseStream, context), context);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw Explain(fault, context);
        }
    }

    /// <inheritdoc/>
    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        try
        {
            await continuation(requestStream, readers.Watch(responseStream, context), context);
        }
        catch (Exception fault) when (fault is not RpcException)
        {
            throw Explain(fault, context);
        }
    }

    private RpcException Explain(Exception fault, ServerCallContext context)
    {
        var requestId = context.GetHttpContext().TraceIdentifier;
        // Writing to a stream whose client has gone throws other things than a cancellation.
        var cause = context.CancellationToken.IsCancellationRequested ? new OperationCanceledException(fault.Message, fault) : fault;
        RequestTelemetry.Of(context.GetHttpContext()).Failed(cause);
        var status = GrpcErrors.For(cause, requestId);
        if (status.Code == (int)Code.Internal) ServerLog.RequestFailed(log, requestId, fault);
        return status.ToRpcException();
    }
}
