using System.Text.Json;
using DeRa.Engine.Requests;
using DeRa.Hosting.Security;
using DeRa.Server.Errors;
using DeRa.Server.Http.Wire;
using DeRa.Server.Responses;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http;

/// <summary>What the two generating endpoints share: they read a request, run it, and write the response whole or as a stream.</summary>
internal abstract class GenerationEndpoint(
    ServingState state, RunningGenerations running, JsonRequestReader reader, TimeProvider time, ILogger log)
{
    /// <summary>Serves one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using var lease = state.Enter();
        using var admitted = await reader.ReadAsync(context, body =>
        {
            var read = Read(body, lease.Pair);
            IgnoredFields.Announce(context, read.Ignored);
            return (read.Response, lease.Generations.Prepare(read.Input));
        });
        var (options, prepared) = admitted.Value;
        var header = Header(context, prepared.Request, lease.Pair);
        var writer = Writer(header, options, new TokenTexts(lease.Pair.Tokenizer, options.TokensAsIds));
        await TracedGeneration.RunAsync(context, lease.Generations, prepared, header.Id, generation =>
            options.Stream ? StreamAsync(context, lease, generation, writer) : RespondAsync(context, lease, generation, writer));
    }

    /// <summary>What a response's id begins with.</summary>
    protected abstract string IdPrefix { get; }

    /// <summary>Reads the endpoint's body.</summary>
    protected abstract WireRequest Read(JsonElement body, ServedPair pair);

    /// <summary>Writes the endpoint's responses.</summary>
    protected abstract ResponseWriter Writer(ResponseHeader header, ResponseOptions options, TokenTexts texts);

    private ResponseHeader Header(HttpContext context, PreparedRequest request, ServedPair pair) => new(
        IdPrefix + context.TraceIdentifier, time.GetUtcNow().ToUnixTimeSeconds(), request.Model,
        request.Sweep is null ? new EffectiveStrengths(request.Strengths, pair.Names.Aligned) : null, request.Seed,
        [.. request.Choices.Select(choice => choice.Request).Where(choice => choice.ChoiceIndex < request.Returned)
            .Select(choice => choice.PromptTokens)])
    {
        Aligned = pair.Names.Aligned,
        Beta = request.Beta,
        Schedule = request.Schedule,
        SweptStrength = request.SweptStrength,
    };

    private static async Task<IEnumerable<FinishReason>> RespondAsync(
        HttpContext context, ServingState.Lease lease, Generation generation, ResponseWriter writer)
    {
        var choices = await WholeChoice.ReadAsync(generation, context.RequestAborted);
        await lease.Rewards.ScoreAsync(generation.Request, choices, context.RequestAborted);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK,
            json => writer.WriteWhole(json, choices, Usage.Of(generation)));
        return choices.Select(choice => choice.FinishReason);
    }

    /// <summary>
    /// Headers go out with the first piece: what goes wrong before it still gets a status of its own, which clients know how
    /// to retry. What goes wrong later becomes an event of the stream.
    /// </summary>
    private async Task<IEnumerable<FinishReason>> StreamAsync(
        HttpContext context, ServingState.Lease lease, Generation generation, ResponseWriter writer)
    {
        var gone = context.RequestAborted;
        using var registered = running.Add(generation, context.Features.Get<ApiKey>()?.Name);
        await using var pieces = lease.Rewards.AddToAsync(generation.Request, generation.ReadAsync(gone), gone).GetAsyncEnumerator(gone);
        var hasPiece = await pieces.MoveNextAsync();
        using var events = new EventStream(context.Response);
        context.Response.Headers["x-generation-id"] = registered.Id;
        var reasons = new List<FinishReason>();
        try
        {
            writer.GenerationId = registered.Id;
            writer.WriteStart(events, generation.Request.Choices.Count, Usage.Of(generation));
            while (hasPiece)
            {
                writer.WritePiece(events, pieces.Current, Usage.Of(generation));
                if (pieces.Current.FinishReason is { } reason) reasons.Add(reason);
                hasPiece = await NextAsync(generation, pieces, events, gone);
            }
            writer.WriteEnd(events, Usage.Of(generation));
        }
        catch (Exception fault) when (!gone.IsCancellationRequested && fault is not ReaderTooSlowException)
        {
            HttpFailure.Record(context, fault, log).Write(events.Begin());
            events.End();
        }
        events.Done();
        await events.FlushAsync(gone);
        return reasons;
    }

    /// <summary>Sends what is written, unless the next piece is there already: then both may go out together.</summary>
    private static async ValueTask<bool> NextAsync(
        Generation generation, IAsyncEnumerator<ChoiceDelta> pieces, EventStream events, CancellationToken gone)
    {
        var next = pieces.MoveNextAsync().AsTask();
        try
        {
            if (!next.IsCompleted || events.IsDue) await events.FlushAsync(gone);
        }
        catch
        {
            // Reading must not be disposed while it is under way.
            generation.Dispose();
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
        return await next;
    }
}
