using DeRa.Engine.Requests;
using DeRa.Engine.Streaming;
using DeRa.Protos.V1;
using DeRa.Server.Answers;
using DeRa.Server.Composition;
using DeRa.Server.Telemetry;
using Grpc.Core;

namespace DeRa.Server.Grpc;

/// <summary>Serves <c>dera.v1.InferenceService</c>. <see cref="GrpcFence"/> turns what is thrown into statuses.</summary>
internal sealed class InferenceEndpoint(ServingState state) : InferenceService.InferenceServiceBase
{
    /// <inheritdoc/>
    public override async Task<GenerateResponse> Generate(GenerateRequest request, ServerCallContext context)
    {
        using var lease = state.Enter();
        var input = GrpcRequestReader.Read(request.HasModel ? request.Model : null, request.Prompt, request.Options);
        GenerateResponse? response = null;
        await RunAsync(lease, input, stream: false, context, async (generation, answers) =>
        {
            var choices = await WholeChoice.ReadAsync(generation, context.CancellationToken);
            response = answers.Whole(choices, generation);
            return choices.Select(choice => FinishReasons.Spell(choice.FinishReason));
        });
        return response!;
    }

    /// <inheritdoc/>
    public override async Task GenerateStream(
        GenerateStreamRequest request, IServerStreamWriter<GenerateStreamResponse> responseStream, ServerCallContext context)
    {
        using var lease = state.Enter();
        var input = GrpcRequestReader.Read(request.HasModel ? request.Model : null, request.Prompt, request.Options);
        await RunAsync(lease, input, stream: true, context, async (generation, answers) =>
        {
            var reasons = new List<string>();
            await responseStream.WriteAsync(answers.Started(generation.Request), context.CancellationToken);
            await foreach (var piece in generation.ReadAsync(context.CancellationToken))
            {
                foreach (var happened in answers.Events(piece, generation))
                    await responseStream.WriteAsync(happened, context.CancellationToken);
                if (piece.FinishReason is { } reason) reasons.Add(FinishReasons.Spell(reason));
            }
            return reasons;
        });
    }

    private static async Task RunAsync(ServingState.Lease lease, GenerationInput input, bool stream, ServerCallContext context,
        Func<Generation, GrpcAnswers, Task<IEnumerable<string>>> answer)
    {
        var pair = lease.Pair;
        var request = pair.Validator.Prepare(input);
        var operation = input.Prompts[0] is ChatPrompt ? "chat" : "text_completion";
        var telemetry = RequestTelemetry.Of(context.GetHttpContext());
        telemetry.Prepared(operation, input, request, pair, stream);
        using var generation = Generation.Start(pair.Engine, request, pair.Tokenizer);
        telemetry.Submitted(generation);
        var reasons = await answer(generation, new GrpcAnswers(pair.Tokenizer, pair.Names.Aligned));
        telemetry.Answered(context.GetHttpContext().TraceIdentifier, reasons);
    }
}
