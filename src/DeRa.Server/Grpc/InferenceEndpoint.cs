using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Server.Options;
using DeRa.Server.State;
using DeRa.Server.Telemetry;
using DeRa.Server.Uploads;
using DeRa.Serving.Requests;
using DeRa.Serving.Scoring;
using DeRa.Serving.Streaming;
using Google.Protobuf;
using Grpc.Core;
using FinishReason = DeRa.Engine.Requests.FinishReason;

namespace DeRa.Server.Grpc;

/// <summary>Serves <c>dera.v1.InferenceService</c>. <see cref="ExceptionInterceptor"/> turns what is thrown into statuses.</summary>
internal sealed class InferenceEndpoint(
    ServingState state, RequestLimiting limits, BodyBudget budget, Encoders encoders, ServerOptions options, TimeProvider time)
    : InferenceService.InferenceServiceBase
{
    /// <inheritdoc/>
    public override Task<GenerateResponse> Generate(GenerateRequest request, ServerCallContext context) => RespondAsync(
        request, () => Read(request.HasModel, request.Model, request.Prompt, request.MorePrompts, request.Options), context,
        (responses, choices, generation) => responses.Whole(choices, generation));

    /// <inheritdoc/>
    public override Task<ChatResponse> Chat(ChatRequest request, ServerCallContext context) => RespondAsync(
        request, () => ReadChat(request.HasModel, request.Model, request.Conversation, request.Options), context,
        (responses, choices, generation) => responses.WholeChat(choices, generation));

    /// <inheritdoc/>
    public override Task GenerateStream(
        GenerateStreamRequest request, IServerStreamWriter<GenerateStreamResponse> responseStream, ServerCallContext context) =>
        StreamAsync(request, () => Read(request.HasModel, request.Model, request.Prompt, request.MorePrompts, request.Options), context,
            StreamEvents.Generate, responseStream);

    /// <inheritdoc/>
    public override Task ChatStream(
        ChatStreamRequest request, IServerStreamWriter<ChatStreamResponse> responseStream, ServerCallContext context) =>
        StreamAsync(request, () => ReadChat(request.HasModel, request.Model, request.Conversation, request.Options), context,
            StreamEvents.Chat, responseStream);

    /// <inheritdoc/>
    public override async Task Converse(IAsyncStreamReader<ConverseRequest> requestStream,
        IServerStreamWriter<ConverseResponse> responseStream, ServerCallContext context)
    {
        // A client that sends nothing is refused at once where nothing is served, and holds up no shutdown.
        state.Enter().Dispose();
        var start = await StartAsync(requestStream, context.CancellationToken);
        using var lease = state.Enter();
        GenerationInput ReadStart() => Read(start.HasModel, start.Model, start.Prompt, start.MorePrompts, start.Options);
        await RunAsync(lease, start, ReadStart, stream: true, context, async (generation, responses) =>
        {
            using var commands = new ConverseCommands(requestStream, generation, lease.Generations, time, context.CancellationToken);
            // A write whose own token is cancelled would abort the call, and its status with it.
            return await commands.WhileAsync(cancellation => WriteAsync(lease, generation, responses, StreamEvents.Converse,
                message => responseStream.WriteAsync(message, CancellationToken.None), cancellation));
        });
    }

    /// <inheritdoc/>
    public override async Task<ScoreResponse> Score(ScoreRequest request, ServerCallContext context)
    {
        using var lease = state.Enter();
        using var place = limits.Enter(context.GetHttpContext());
        var scoring = new ScoringService(lease.Pair);
        var prepared = await EncodeAsync(request, context, () => scoring.Prepare(GrpcScores.Read(request)));
        var items = await TracedScores.RunAsync(context.GetHttpContext(), scoring, prepared, context.CancellationToken);
        return GrpcScores.Response(prepared, items, lease.Pair.Names.Aligned, request.PerToken);
    }

    /// <inheritdoc/>
    public override async Task<TokenizeResponse> Tokenize(TokenizeRequest request, ServerCallContext context)
    {
        using var lease = state.Enter();
        using var place = limits.Enter(context.GetHttpContext());
        var tokens = await EncodeAsync(request, context, () => lease.Pair.Validator.Tokenize(request.HasModel ? request.Model : null,
            GrpcRequestReader.ReadPrompt(request.Prompt), request.HasAddSpecialTokens ? request.AddSpecialTokens : null,
            request.ParseSpecial));
        var response = new TokenizeResponse { ContextTokens = lease.Pair.Engine.Limits.ContextTokens, TokenIds = { tokens } };
        if (request.ReturnTokenStrings) response.TokenStrings.AddRange(tokens.Select(token => lease.Pair.Tokenizer.GetToken(token) ?? ""));
        return response;
    }

    /// <inheritdoc/>
    public override async Task<DetokenizeResponse> Detokenize(DetokenizeRequest request, ServerCallContext context)
    {
        using var lease = state.Enter();
        using var place = limits.Enter(context.GetHttpContext());
        return new DetokenizeResponse
        {
            Text = await EncodeAsync(request, context, () => lease.Pair.Validator.Detokenize(
                request.HasModel ? request.Model : null, request.TokenIds, "token_ids", request.SkipSpecialTokens)),
        };
    }

    /// <inheritdoc/>
    public override Task<ListModelsResponse> ListModels(ListModelsRequest request, ServerCallContext context)
    {
        using var lease = state.Enter();
        var response = new ListModelsResponse();
        response.Models.AddRange(lease.Pair.Names.All.Select(name => new Model
        {
            Name = name,
            Pair = lease.Pair.Names.Pair,
            Created = lease.Pair.LoadedAt.ToUnixTimeSeconds(),
            ContextTokens = lease.Pair.Engine.Limits.ContextTokens,
        }));
        return Task.FromResult(response);
    }

    /// <inheritdoc/>
    public override Task<GetServerInfoResponse> GetServerInfo(GetServerInfoRequest request, ServerCallContext context)
    {
        using var lease = state.Enter();
        return Task.FromResult(GrpcResponses.Info(lease.Pair, options));
    }

    /// <summary>Waits for the first message no longer than for a request's headers.</summary>
    private async Task<ConverseStart> StartAsync(IAsyncStreamReader<ConverseRequest> requests, CancellationToken gone)
    {
        var most = TimeSpan.FromSeconds(options.Connection.HeaderSeconds);
        using var late = new CancellationTokenSource(most, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(gone, late.Token, state.Closing);
        try
        {
            return await ConverseCommands.StartAsync(requests, end.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new DeadlineExceededException(most);
        }
    }

    private static GenerationInput Read(
        bool hasModel, string model, Prompt? prompt, IEnumerable<Prompt> more, GenerationOptions? options) =>
        GrpcRequestReader.Read(hasModel ? model : null, prompt, more, options);

    private static GenerationInput ReadChat(bool hasModel, string model, Conversation? conversation, GenerationOptions? options) =>
        GrpcRequestReader.ReadChat(hasModel ? model : null, conversation, options);

    private async Task<T> RespondAsync<T>(IMessage message, Func<GenerationInput> read, ServerCallContext context,
        Func<GrpcResponses, IReadOnlyList<WholeChoice>, Generation, T> respond) where T : class
    {
        using var lease = state.Enter();
        T? response = null;
        await RunAsync(lease, message, read, stream: false, context, async (generation, responses) =>
        {
            var choices = await WholeChoice.ReadAsync(generation, context.CancellationToken);
            await lease.Rewards.ScoreAsync(generation.Request, choices, context.CancellationToken);
            response = respond(responses, choices, generation);
            return choices.Select(choice => choice.FinishReason);
        });
        return response!;
    }

    private async Task StreamAsync<T>(IMessage message, Func<GenerationInput> read, ServerCallContext context,
        StreamEvents<T> form, IServerStreamWriter<T> stream)
    {
        using var lease = state.Enter();
        await RunAsync(lease, message, read, stream: true, context, (generation, responses) => WriteAsync(
            lease, generation, responses, form, next => stream.WriteAsync(next, context.CancellationToken), context.CancellationToken));
    }

    private static async Task<IEnumerable<FinishReason>> WriteAsync<T>(ServingState.Lease lease, Generation generation,
        GrpcResponses responses, StreamEvents<T> form, Func<T, Task> write, CancellationToken cancellation)
    {
        var reasons = new List<FinishReason>();
        await write(responses.Started(generation.Request, form));
        await foreach (var piece in lease.Rewards.AddToAsync(generation.Request, generation.ReadAsync(cancellation), cancellation))
        {
            foreach (var message in responses.Events(piece, generation, form)) await write(message);
            if (piece.FinishReason is { } reason) reasons.Add(reason);
        }
        return reasons;
    }

    private async Task RunAsync(ServingState.Lease lease, IMessage message, Func<GenerationInput> read, bool stream,
        ServerCallContext context, Func<Generation, GrpcResponses, Task<IEnumerable<FinishReason>>> respond)
    {
        var http = context.GetHttpContext();
        using var place = limits.Enter(http);
        var prepared = await EncodeAsync(message, context, () => lease.Generations.Prepare(read() with { Stream = stream }));
        var responses = new GrpcResponses(lease.Pair.Tokenizer, lease.Pair.Names.Aligned);
        await TracedGeneration.RunAsync(http, lease.Generations, prepared, http.TraceIdentifier,
            generation => respond(generation, responses));
    }

    /// <summary>A message is in memory already, but what it takes until it is encoded counts as it does in HTTP.</summary>
    private async Task<T> EncodeAsync<T>(IMessage message, ServerCallContext context, Func<T> encode)
    {
        var bytes = message.CalculateSize();
        using var held = budget.For(context.GetHttpContext());
        held.Hold(bytes);
        return await encoders.RunAsync(bytes, encode, context.CancellationToken);
    }
}
