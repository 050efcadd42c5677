using System.IO.Pipelines;
using DeRa.Hosting.Listening;
using DeRa.Protos.V1;
using DeRa.Server.Errors;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace DeRa.Server.Uploads;

/// <summary>
/// Bounds every body that is read, whoever reads it: gRPC's own machinery too, which reads messages before any of our code
/// runs. After the keys: what is held is counted by them.
/// </summary>
internal sealed class UploadLimits(
    RequestDelegate next, BodyBudget budget, ServingState state, ServerOptions options, TimeProvider time)
{
    private static readonly string Inference = InferenceService.Descriptor.FullName;

    private readonly TimeSpan _most = TimeSpan.FromSeconds(
        Math.Min(options.Connection.BodySeconds, options.Time.RequestTimeoutSeconds ?? int.MaxValue));

    /// <summary>Runs the request.</summary>
    public async Task InvokeAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody == false)
        {
            await next(context);
            return;
        }
        using var body = Bound(context);
        context.Features.Set<IRequestBodyPipeFeature>(new Feature(
            context.Request.IsGrpc() ? new GrpcBody(body, context) : body));
        await next(context);
    }

    private BoundedBody Bound(HttpContext context)
    {
        var method = context.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method;
        // A stream from the client is read while its response is written: it has no length, and ends with its call.
        var isStream = method?.Type is MethodType.ClientStreaming or MethodType.DuplexStreaming;
        var stop = isStream ? CancellationToken.None : method is null || method.ServiceName == Inference ? state.Draining : state.Closing;
        return new BoundedBody(context.Request.BodyReader, budget.For(context), isStream ? null : _most, context, time, stop);
    }

    private sealed record Feature(PipeReader Reader) : IRequestBodyPipeFeature;

    /// <summary>Faults of the body as gRPC's machinery wants them: anything but a status would pass for the server's own fault.</summary>
    private sealed class GrpcBody(PipeReader body, HttpContext context) : PipeReader
    {
        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                return await body.ReadAsync(cancellationToken);
            }
            catch (Exception fault) when (fault is not OperationCanceledException || fault is ClientGoneException)
            {
                RequestTelemetry.Of(context).Failed(fault);
                throw GrpcError.For(fault, context.TraceIdentifier).ToRpcException();
            }
        }

        public override bool TryRead(out ReadResult result) => body.TryRead(out result);

        public override void AdvanceTo(SequencePosition consumed) => body.AdvanceTo(consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined) => body.AdvanceTo(consumed, examined);

        public override void CancelPendingRead() => body.CancelPendingRead();

        public override void Complete(Exception? exception = null) => body.Complete(exception);
    }
}
