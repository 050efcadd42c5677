using DeRa.Hosting.Security;
using DeRa.Protos.V1;
using DeRa.Server.Answers;
using DeRa.Server.Composition;
using DeRa.Server.Options;
using DeRa.Server.Telemetry;
using DeRa.Server.Uploads;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using Google.Protobuf;
using Grpc.Core;

namespace DeRa.Server.Grpc;

/// <summary>Serves <c>dera.v1.InferenceService</c>. <see cref="GrpcFence"/> turns what is thrown into statuses.</summary>
internal sealed class InferenceEndpoint(
    ServingState state, RequestLimiting limits, BodyBudget budget, Encoders encoders, ServerOptions options, TimeProvider time)
    : InferenceService.InferenceServiceBase
{
    /// <inheritdoc/>
    public override Task<GenerateResponse> Generate(GenerateRequest request, ServerCallContext context) => AnswerAsync(
        request, () => GrpcRequestReader.Read(request.HasModel ? request.Model : null, request.Prompt, request.MorePrompts, request.Options),
        context,
        (answers, choices, generation) => answers.Whole(choices, generation));

    /// <inheritdoc/>
    public override Task<ChatResponse> Chat(ChatRequest request, ServerCallContext context) => AnswerAsync(
        request, () => GrpcRequestReader.ReadChat(request.HasModel ? request.Model : null, request.Conversation, request.Options), context,
        (answers, choices, generation) => answers.WholeChat(choices, generation));

    /// <inheritdoc/>
    public override Task GenerateStream(
        GenerateStreamRequest request, IServerStreamWriter<GenerateStreamResponse> responseStream, ServerCallContext context) => StreamAsync(
        request, () => GrpcRequestReader.Read(request.HasModel ? request.Model : null, request.Prompt, request.MorePrompts, request.Options),
        context,
        happened => responseStream.WriteAsync(GrpcAnswers.ForGenerate(happened), context.CancellationToken));

    /// <inheritdoc/>
    public override Task ChatStream(
        ChatStreamRequest request, IServerStreamWriter<ChatStreamResponse> responseStream, ServerCallContext context) => StreamAsync(
        request, () => GrpcRequestReader.ReadChat(request.HasModel ? request.Model : null, request.Conversation, request.Options), context,
        happened => responseStream.WriteAsync(GrpcAnswers.ForChat(happened), context.CancellationToken));

    /// <inheritdoc/>
    public override async Task Converse(IAsyncStreamReader<ConverseRequest> requestStream,
        IServerStreamWriter<ConverseResponse> responseStream, ServerCallContext context)
    {
        // A client that says nothing is refused at once where nothing is served, and holds up no shutdown.
        state.Enter().Dispose();
        var start = await StartAsync(requestStream, context.CancellationToken);
        using var lease = state.Enter();
        GenerationInput Read() => GrpcRequestReader.Read(start.HasModel ? start.Model : null, start.Prompt, start.MorePrompts, start.Options);
        await RunAsync(lease, start, Read, stream: true, context, async (generation, answers) =>
        {
            using var wishes = new Wishes(requestStream, generation, lease.Pair.Validator, time, context.CancellationToken);
            // A write whose own token is cancelled would abort the call, and its status with it.
            return await wishes.WhileAsync(cancellation => WriteAsync(
                generation, answers, happened => responseStream.WriteAsync(happened, CancellationToken.None), cancellation));
        });
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
        return Task.FromResult(GrpcAnswers.Info(lease.Pair, options));
    }

    /// <summary>Waits for the first message no longer than for a request's headers.</summary>
    private async Task<ConverseStart> StartAsync(IAsyncStreamReader<ConverseRequest> requests, CancellationToken gone)
    {
        var most = TimeSpan.FromSeconds(options.Connection.HeaderSeconds);
        using var late = new CancellationTokenSource(most, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(gone, late.Token, state.Closing);
        try
        {
            return await Wishes.StartAsync(requests, end.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            throw new DeadlineExceededException(most);
        }
    }

    private async Task<T> AnswerAsync<T>(IMessage message, Func<GenerationInput> read, ServerCallContext context,
        Func<GrpcAnswers, IReadOnlyList<WholeChoice>, Generation, T> answer) where T : class
    {
        using var lease = state.Enter();
        T? response = null;
        await RunAsync(lease, message, read, stream: false, context, async (generation, answers) =>
        {
            var choices = await WholeChoice.ReadAsync(generation, context.CancellationToken);
            response = answer(answers, choices, generation);
            return choices.Select(choice => FinishReasons.Spell(choice.FinishReason));
        });
        return response!;
    }

    private async Task StreamAsync(
        IMessage message, Func<GenerationInput> read, ServerCallContext context, Func<ConverseResponse, Task> write)
    {
        using var lease = state.Enter();
        await RunAsync(lease, message, read, stream: true, context,
            (generation, answers) => WriteAsync(generation, answers, write, context.CancellationToken));
    }

    private static async Task<IEnumerable<string>> WriteAsync(
        Generation generation, GrpcAnswers answers, Func<ConverseResponse, Task> write, CancellationToken cancellation)
    {
        var reasons = new List<string>();
        await write(answers.Started(generation.Request));
        await foreach (var piece in generation.ReadAsync(cancellation))
        {
            foreach (var happened in answers.Events(piece, generation)) await write(happened);
            if (piece.FinishReason is { } reason) reasons.Add(FinishReasons.Spell(reason));
        }
        return reasons;
    }

    private async Task RunAsync(ServingState.Lease lease, IMessage message, Func<GenerationInput> read, bool stream,
        ServerCallContext context, Func<Generation, GrpcAnswers, Task<IEnumerable<string>>> answer)
    {
        var pair = lease.Pair;
        using var place = limits.Enter(context.GetHttpContext());
        var (input, request) = await EncodeAsync(message, context, () =>
        {
            var wanted = read() with { Stream = stream };
            return (wanted, pair.Validator.Prepare(wanted));
        });
        var operation = input.Prompts[0] is ChatPrompt ? "chat" : "text_completion";
        var telemetry = RequestTelemetry.Of(context.GetHttpContext());
        telemetry.Prepared(operation, input, request, pair, stream);
        using var generation = Generation.Start(pair.Engine, request, pair.Tokenizer, telemetry.Elapsed);
        telemetry.Submitted(generation);
        var reasons = await answer(generation, new GrpcAnswers(pair.Tokenizer, pair.Names.Aligned));
        telemetry.Answered(context.GetHttpContext().TraceIdentifier, reasons);
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
