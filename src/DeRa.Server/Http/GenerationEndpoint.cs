using System.Text.Json;
using DeRa.Server.Answers;
using DeRa.Server.Composition;
using DeRa.Server.Http.Wire;
using DeRa.Server.Telemetry;
using DeRa.Serving;
using DeRa.Serving.Streaming;

namespace DeRa.Server.Http;

/// <summary>What the two generating endpoints share: read, check, submit, answer whole or as a stream.</summary>
internal abstract class GenerationEndpoint(ServingState state, JsonIntake intake, TimeProvider time, ILogger log)
{
    /// <summary>Serves one request.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        using var lease = state.Enter();
        var pair = lease.Pair;
        using var taken = await intake.TakeAsync(context, body =>
        {
            var read = Read(body, pair);
            IgnoredFields.Announce(context, read.Ignored);
            return (read, pair.Validator.Prepare(read.Input));
        });
        var (wire, request) = taken.Value;
        var telemetry = RequestTelemetry.Of(context);
        telemetry.Prepared(Operation, wire.Input, request, pair, wire.Answer.Stream);
        var header = new AnswerHeader(
            IdPrefix + context.TraceIdentifier, time.GetUtcNow().ToUnixTimeSeconds(), request.Model,
            new StrengthsInForce(request.Strengths, pair.Names.Aligned), request.Seed,
            [.. request.Choices.Select(choice => choice.Request).Where(choice => choice.ChoiceIndex < request.Returned)
                .Select(choice => choice.PromptTokens)]);
        var writer = Writer(header, wire.Answer, new TokenTexts(pair.Tokenizer, wire.Answer.TokensAsIds));
        using var generation = Generation.Start(pair.Engine, request, pair.Tokenizer, telemetry.Elapsed);
        telemetry.Submitted(generation);
        var reasons = wire.Answer.Stream
            ? await StreamAsync(context, generation, writer) : await AnswerAsync(context, generation, writer);
        telemetry.Answered(header.Id, reasons);
    }

    /// <summary>The operation's name in telemetry.</summary>
    protected abstract string Operation { get; }

    /// <summary>What an answer's id begins with.</summary>
    protected abstract string IdPrefix { get; }

    /// <summary>Reads the endpoint's body.</summary>
    protected abstract WireRequest Read(JsonElement body, ServedPair pair);

    /// <summary>Writes the endpoint's answers.</summary>
    protected abstract AnswerWriter Writer(AnswerHeader header, AnswerOptions options, TokenTexts texts);

    private static async Task<IEnumerable<string>> AnswerAsync(HttpContext context, Generation generation, AnswerWriter writer)
    {
        var choices = await WholeChoice.ReadAsync(generation, context.RequestAborted);
        await WireJson.RespondAsync(context.Response, StatusCodes.Status200OK,
            json => writer.WriteWhole(json, choices, Usage.Of(generation)));
        return choices.Select(choice => FinishReasons.Spell(choice.FinishReason));
    }

    /// <summary>
    /// Headers go out with the first piece: what goes wrong before it still gets a status of its own, which clients know how
    /// to retry. What goes wrong later becomes an event of the stream.
    /// </summary>
    private async Task<IEnumerable<string>> StreamAsync(HttpContext context, Generation generation, AnswerWriter writer)
    {
        var gone = context.RequestAborted;
        await using var pieces = generation.ReadAsync(gone).GetAsyncEnumerator(gone);
        var hasPiece = await pieces.MoveNextAsync();
        using var events = new EventStream(context.Response);
        var reasons = new List<string>();
        try
        {
            writer.WriteStart(events, generation.Request.Choices.Count, Usage.Of(generation));
            while (hasPiece)
            {
                writer.WritePiece(events, pieces.Current, Usage.Of(generation));
                if (pieces.Current.FinishReason is { } reason) reasons.Add(FinishReasons.Spell(reason));
                hasPiece = await NextAsync(generation, pieces, events, gone);
            }
            writer.WriteEnd(events, Usage.Of(generation));
        }
        catch (Exception fault) when (!gone.IsCancellationRequested && fault is not ReaderTooSlowException)
        {
            RequestFence.Explain(context, fault, log).Write(events.Begin());
            events.End();
        }
        events.Done();
        await events.FlushAsync(gone);
        return reasons;
    }

    /// <summary>Sends what is written, unless the next piece is there already: then both go out together.</summary>
    private static async ValueTask<bool> NextAsync(
        Generation generation, IAsyncEnumerator<ChoiceDelta> pieces, EventStream events, CancellationToken gone)
    {
        var next = pieces.MoveNextAsync().AsTask();
        try
        {
            if (!next.IsCompleted) await events.FlushAsync(gone);
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
