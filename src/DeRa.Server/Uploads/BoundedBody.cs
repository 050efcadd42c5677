using System.Buffers;
using System.IO.Pipelines;
using DeRa.Server.Errors;
using DeRa.Server.State;
using Microsoft.AspNetCore.Connections;

namespace DeRa.Server.Uploads;

/// <summary>
/// A request's body as it arrives: what is held of it counts, it must be there in time, and where the server stops nobody
/// waits for its rest. What goes wrong with it is classified here: a client that has gone, one that is too slow, one that
/// sends what is not a body.
/// </summary>
/// <param name="body">The body.</param>
/// <param name="share">What it may hold.</param>
/// <param name="most">The time for all of it, from the first look on; null = any.</param>
/// <param name="context">The request.</param>
/// <param name="time">The clock.</param>
/// <param name="stop">The server wants no more of it.</param>
internal sealed class BoundedBody(
    PipeReader body, BodyBudget.Share share, TimeSpan? most, HttpContext context, TimeProvider time, CancellationToken stop)
    : PipeReader, IDisposable
{
    private ReadOnlySequence<byte> _seen;
    private CancellationTokenSource? _late;

    /// <summary>Shows what has arrived and is not yet consumed, once there is more than was examined.</summary>
    /// <exception cref="ClientGoneException">The client went away.</exception>
    /// <exception cref="UploadTooSlowException">The body has not arrived in time.</exception>
    /// <exception cref="NotServingException">The server stops.</exception>
    /// <exception cref="BodiesFullException">There is no room for it.</exception>
    /// <exception cref="HttpRefusal">It cannot be read.</exception>
    public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        _late ??= new CancellationTokenSource(most ?? Timeout.InfiniteTimeSpan, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _late.Token, stop);
        // A token given to the read itself would leave Kestrel's reader unable to drain the rest.
        using var cancelling = end.Token.UnsafeRegister(static self => ((BoundedBody)self!).CancelPendingRead(), this);
        ReadResult read;
        try
        {
            read = await body.ReadAsync(CancellationToken.None);
        }
        catch (Exception fault)
        {
            EndConnection();
            if (Cause(fault) is not { } cause) throw;
            if (cause is ClientGoneException) await AbortAsync();
            throw cause;
        }
        if (!read.IsCanceled)
        {
            Count(read.Buffer);
            return read;
        }
        body.AdvanceTo(read.Buffer.End);
        EndConnection();
        throw CauseOfEnd(cancellationToken);
    }

    /// <inheritdoc/>
    public override bool TryRead(out ReadResult result)
    {
        if (!body.TryRead(out result)) return false;
        Count(result.Buffer);
        return true;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    /// <inheritdoc/>
    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        share.Hold(_seen.Slice(consumed).Length);
        _seen = default;
        body.AdvanceTo(consumed, examined);
    }

    /// <inheritdoc/>
    public override void CancelPendingRead()
    {
        try
        {
            body.CancelPendingRead();
        }
        catch (Exception)
        {
            // The body has ended with its connection: the read itself says so.
        }
    }

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null)
    {
        share.Hold(0);
        body.Complete(exception);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        share.Dispose();
        _late?.Dispose();
    }

    private void Count(ReadOnlySequence<byte> buffer)
    {
        try
        {
            share.Hold(buffer.Length);
            _seen = buffer;
        }
        catch (BodiesFullException)
        {
            body.AdvanceTo(buffer.End);
            EndConnection();
            throw;
        }
    }

    /// <summary>
    /// Nobody reads this response; but only its headers let Kestrel know that nothing more is to be read from the connection.
    /// </summary>
    private async Task AbortAsync()
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol) && !context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.StartAsync(CancellationToken.None);
        }
        context.Abort();
    }

    /// <summary>In HTTP/1.1 no request can follow a body that was not read to its end.</summary>
    private void EndConnection()
    {
        if (!HttpProtocol.IsHttp2(context.Request.Protocol) && !context.Response.HasStarted)
            context.Response.Headers.Connection = "close";
    }

    private Exception CauseOfEnd(CancellationToken cancellation) =>
        context.RequestAborted.IsCancellationRequested ? new ClientGoneException()
        : _late!.IsCancellationRequested ? new UploadTooSlowException(most!.Value)
        : stop.IsCancellationRequested ? new NotServingException(ServingPhase.Draining)
        : new OperationCanceledException(cancellation);

    /// <summary>What lies behind a fault of the body; null = the fault itself says it.</summary>
    private Exception? Cause(Exception fault) => fault switch
    {
        _ when context.RequestAborted.IsCancellationRequested => new ClientGoneException(),
        BadHttpRequestException => null,
        ConnectionResetException or ConnectionAbortedException or OperationCanceledException => new ClientGoneException(),
        // A stream of HTTP/2 ends so when its client resets it; in HTTP/1.1 it is the framing of chunks that breaks.
        IOException when HttpProtocol.IsHttp2(context.Request.Protocol) => new ClientGoneException(),
        IOException => new HttpRefusal(StatusCodes.Status400BadRequest, $"The body cannot be read: {fault.Message}"),
        _ => null,
    };
}
