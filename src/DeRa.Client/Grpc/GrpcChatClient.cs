using System.Runtime.CompilerServices;
using DeRa.Protos.V1;
using Grpc.Core;
using Microsoft.Extensions.AI;
using ChatMessage = Microsoft.Extensions.AI.ChatMessage;
using ChatResponse = Microsoft.Extensions.AI.ChatResponse;

namespace DeRa.Client.Grpc;

/// <summary>Answers conversations by <c>Chat</c>, and streams by <c>Converse</c>, so that each stream can be changed.</summary>
/// <param name="service">The server.</param>
/// <param name="running">Its streams that run.</param>
/// <param name="endpoint">The server's address.</param>
/// <param name="model">The model; null = the pair.</param>
internal sealed class GrpcChatClient(
    InferenceService.InferenceServiceClient service, RunningCalls running, Uri endpoint, string? model) : IChatClient
{
    private readonly ChatClientMetadata _about = new("dera", endpoint, model);

    /// <inheritdoc/>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var request = new ChatRequest
        {
            Conversation = GrpcFields.Conversation(messages, options),
            Options = GrpcFields.Options(options),
        };
        if ((options?.ModelId ?? model) is { } name) request.Model = name;
        return GrpcReader.Whole(await service.ChatAsync(request, cancellationToken: cancellationToken).ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(IEnumerable<ChatMessage> messages,
        ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var start = new ConverseStart
        {
            Prompt = new Prompt { Messages = GrpcFields.Conversation(messages, options) },
            Options = GrpcFields.Options(options),
        };
        if ((options?.ModelId ?? model) is { } name) start.Model = name;
        using var call = service.Converse(cancellationToken: cancellationToken);
        using var stream = running.Add(call.RequestStream);
        var reader = new GrpcReader(stream.Id) { ChoicesAtAStrength = start.Options.HasN ? Math.Max(1, start.Options.N) : 1 };
        await StartAsync(stream, start, cancellationToken).ConfigureAwait(false);
        await foreach (var happened in call.ResponseStream.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            if (reader.Event(happened) is { } update) yield return update;
        yield return reader.Last();
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null) => serviceKey is not null ? null
        : serviceType == typeof(ChatClientMetadata) ? _about : serviceType?.IsInstanceOfType(this) == true ? this : null;

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>A server that refuses at once may have ended the call before this is written: reading then says why.</summary>
    private static async Task StartAsync(RunningCall stream, ConverseStart start, CancellationToken cancellation)
    {
        try
        {
            await stream.WriteAsync(new ConverseRequest { Start = start }, cancellation).ConfigureAwait(false);
        }
        catch (Exception over) when (over is RpcException or InvalidOperationException)
        {
        }
    }
}
