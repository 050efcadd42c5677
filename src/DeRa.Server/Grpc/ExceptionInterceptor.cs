using DeRa.Protos.V1;
using DeRa.Server.Errors;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
using Google.Rpc;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace DeRa.Server.Grpc;

/// <summary>Turns whatever a call throws into a status, and logs what is the server's fault.</summary>
internal sealed class ExceptionInterceptor(ServingState state, SlowReaders readers, ILogger<ExceptionInterceptor> log) : Interceptor
{
    private static readonly string Ours = $"/{InferenceService.Descriptor.FullName}/";

    /// <inheritdoc/>
    public override async Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
    {
        TResponse? response = null;
        await HandleAsync(async () => response = await continuation(request, context), context);
        return response!;
    }

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(TRequest request,
        IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        HandleAsync(() => UntilClosing(continuation(request, readers.WithTimeout(responseStream, context), context), context), context);

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(IAsyncStreamReader<TRequest> requestStream,
        IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        HandleAsync(() => UntilClosing(
            continuation(requestStream, readers.WithTimeout(responseStream, context), context), context), context);

    /// <summary>Streams of other services, such as that of the server's health, have no end of their own; ours have.</summary>
    private Task UntilClosing(Task call, ServerCallContext context) =>
        context.Method.StartsWith(Ours, StringComparison.Ordinal) ? call : call.WaitAsync(state.Closing);

    private async Task HandleAsync(Func<Task> call, ServerCallContext context)
    {
        try
        {
            await call();
        }
        catch (RpcException refusal)
        {
            RequestTelemetry.Of(context.GetHttpContext()).Failed(
                context.CancellationToken.IsCancellationRequested ? new ClientGoneException() : refusal);
            throw;
        }
        catch (OperationCanceledException) when (state.Closing.IsCancellationRequested
            && !context.CancellationToken.IsCancellationRequested)
        {
            throw Record(new NotServingException(ServingPhase.Draining), context);
        }
        catch (Exception fault)
        {
            throw Record(fault, context);
        }
    }

    private RpcException Record(Exception fault, ServerCallContext context)
    {
        var requestId = context.GetHttpContext().TraceIdentifier;
        // Writing to a stream whose client has gone throws other things than a cancellation.
        var hasLeft = context.CancellationToken.IsCancellationRequested && fault is not ReaderTooSlowException;
        var cause = hasLeft ? new ClientGoneException() : fault;
        RequestTelemetry.Of(context.GetHttpContext()).Failed(cause);
        var status = GrpcError.For(cause, requestId, context.Method.Split('/')[^1]);
        if (status.Code == (int)Code.Internal) ServerLog.RequestFailed(log, requestId, fault);
        return status.ToRpcException();
    }
}
