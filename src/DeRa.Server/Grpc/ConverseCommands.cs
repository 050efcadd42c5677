using System.Runtime.ExceptionServices;
using DeRa.Protos.V1;
using DeRa.Server.State;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using Grpc.Core;

namespace DeRa.Server.Grpc;

/// <summary>
/// Applies a client's commands to a running generation: other strengths, or an end. A command that cannot be applied ends the call
/// with its error, since a stream has no other place for one.
/// </summary>
internal sealed class ConverseCommands(
    IAsyncStreamReader<ConverseRequest> requests, Generation generation, GenerationService service, TimeProvider time,
    CancellationToken gone) : IDisposable
{
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(gone);
    private readonly CancellationTokenSource _listening = CancellationTokenSource.CreateLinkedTokenSource(gone);
    private Exception? _fault;
    private readonly ChangeRate _rate = new(time);

    /// <summary>Reads the first message.</summary>
    /// <exception cref="InvalidRequestException">There is none, or it is not a start.</exception>
    public static async Task<ConverseStart> StartAsync(IAsyncStreamReader<ConverseRequest> requests, CancellationToken gone) =>
        await requests.MoveNext(gone) && requests.Current.EventCase == ConverseRequest.EventOneofCase.Start
            ? requests.Current.Start
            : throw new InvalidRequestException("event", "The first message must be 'start'.");

    /// <summary>Applies commands while the response is written.</summary>
    /// <param name="write">Writes the response; its token is cancelled where a command cannot be applied.</param>
    /// <exception cref="InvalidRequestException">A command is wrong.</exception>
    public async Task<T> WhileAsync<T>(Func<CancellationToken, Task<T>> write)
    {
        var listener = ListenAsync();
        try
        {
            return await write(_stop.Token);
        }
        catch (Exception) when (_fault is not null)
        {
            ExceptionDispatchInfo.Throw(_fault);
            throw;
        }
        finally
        {
            await _listening.CancelAsync();
            await listener;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Dispose();
        _listening.Dispose();
    }

    /// <summary>Never throws.</summary>
    private async Task ListenAsync()
    {
        try
        {
            while (await requests.MoveNext(_listening.Token)) Apply(requests.Current);
        }
        catch (Exception) when (_listening.IsCancellationRequested)
        {
            // The response is written, or the client has gone: no command has anything left to change.
        }
        catch (Exception fault)
        {
            _fault = fault;
            await _stop.CancelAsync();
        }
    }

    private void Apply(ConverseRequest request)
    {
        switch (request.EventCase)
        {
            case ConverseRequest.EventOneofCase.Change:
                Change(request.Change);
                break;
            case ConverseRequest.EventOneofCase.Stop:
                generation.Stop();
                break;
            case ConverseRequest.EventOneofCase.Start:
                throw new InvalidRequestException("event", "'start' may be sent once, first.");
            default:
                throw new InvalidRequestException("event", "A message must have 'change' or 'stop'.");
        }
    }

    private void Change(StrengthChange change)
    {
        _rate.Count("'change'");
        try
        {
            service.ChangeStrengths(generation, change.HasAlignmentStrength ? change.AlignmentStrength : null,
                change.AlignmentStrengths.Count > 0 ? change.AlignmentStrengths.ToDictionary() : null);
        }
        catch (InvalidRequestException bad)
        {
            throw new InvalidRequestException($"change.{bad.Field}", bad.Message);
        }
    }
}
