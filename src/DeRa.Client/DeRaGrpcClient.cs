using DeRa.Client.Alignment;
using DeRa.Client.Grpc;
using DeRa.Protos.V1;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Grpc.Net.Client.Configuration;
using Microsoft.Extensions.AI;
using ItemScores = DeRa.Client.Alignment.ItemScores;
using ScoreItem = DeRa.Client.Alignment.ScoreItem;

namespace DeRa.Client;

/// <summary>
/// A DeRa server over gRPC. A call that meets UNAVAILABLE or RESOURCE_EXHAUSTED before its first message is made again up to three times,
/// and a refusal is an <see cref="RpcException"/>, of which <see cref="DeRaError.Of"/> tells the field. Any thread may use it, many at
/// once.
/// </summary>
public sealed class DeRaGrpcClient : IDisposable
{
    private readonly Uri _endpoint;
    private readonly GrpcChannel _channel;
    private readonly InferenceService.InferenceServiceClient _service;
    private readonly RunningCalls _running = new();

    /// <summary>Makes a client; nothing is sent.</summary>
    /// <param name="endpoint">The server's address for gRPC, such as <c>http://localhost:8081</c>.</param>
    /// <param name="key">The API key; null where the server needs none.</param>
    /// <param name="options">The channel's options; where they have no service config they get one that tries again.</param>
    public DeRaGrpcClient(Uri endpoint, string? key = null, GrpcChannelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        options ??= new GrpcChannelOptions();
        options.ServiceConfig ??= TryingAgain();
        options.ThrowOperationCanceledOnCancellation = true;
        (_endpoint, _channel) = (endpoint, GrpcChannel.ForAddress(endpoint, options));
        _service = new InferenceService.InferenceServiceClient(key is null ? _channel.CreateCallInvoker()
            : _channel.Intercept(metadata => [.. metadata, new Metadata.Entry("authorization", $"Bearer {key}")]));
    }

    /// <summary>A client for conversations, of which <see cref="ChatOptionsAlignment"/> has the options.</summary>
    /// <param name="model">One of the server's models, or the pair's with a strength, as in <c>pair@0.5</c>; null = the pair.</param>
    public IChatClient GetChatClient(string? model = null) => new GrpcChatClient(_service, _running, _endpoint, model);

    /// <summary>
    /// Changes the strength of a stream for the tokens that follow. It returns when the change is on its way; the pieces from there on
    /// say it in their <c>AlignmentStrength</c>. Of several changes before a token the last counts.
    /// </summary>
    /// <param name="generationId">The stream, by <c>ChatResponseUpdate.GenerationId</c>: one of this client's.</param>
    /// <param name="strength">λ of the first aligned model, in the server's range, usually −1 to 10: another one ends the stream.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="RpcException">The stream is not one of this client's that run.</exception>
    public Task ChangeStrengthAsync(string generationId, double strength, CancellationToken cancellation = default) =>
        WriteAsync(generationId, new() { Change = new StrengthChange { AlignmentStrength = strength } }, cancellation);

    /// <summary>Changes the strengths of several aligned models.</summary>
    /// <param name="generationId">The stream, by <c>ChatResponseUpdate.GenerationId</c>: one of this client's.</param>
    /// <param name="strengths">λ by aligned model; those not named weigh 0.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <inheritdoc cref="ChangeStrengthAsync(string, double, CancellationToken)"/>
    public Task ChangeStrengthAsync(
        string generationId, IReadOnlyDictionary<string, double> strengths, CancellationToken cancellation = default) =>
        WriteAsync(generationId,
            new() { Change = new StrengthChange { AlignmentStrengths = { strengths.ToDictionary() } } }, cancellation);

    /// <summary>Ends a stream: its choices keep the text that they have.</summary>
    /// <param name="generationId">The stream, by <c>ChatResponseUpdate.GenerationId</c>: one of this client's.</param>
    /// <param name="cancellation">Stops waiting.</param>
    /// <exception cref="RpcException">The stream is not one of this client's that run.</exception>
    public Task StopAsync(string generationId, CancellationToken cancellation = default) =>
        WriteAsync(generationId, new() { Stop = new ConverseStop() }, cancellation);

    /// <summary>Scores texts at many strengths; each model runs a text once.</summary>
    /// <param name="items">The texts; at least one.</param>
    /// <param name="strengths">1 to 1,000 strengths of the first aligned model, in the server's range.</param>
    /// <param name="options">How; null = with the pair, without each token.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The scores of each text, in the order of <paramref name="items"/>.</returns>
    /// <exception cref="RpcException">The server refused it.</exception>
    public async Task<IReadOnlyList<ItemScores>> ScoreAsync(IReadOnlyList<ScoreItem> items, IReadOnlyList<double> strengths,
        ScoreOptions? options = null, CancellationToken cancellation = default) =>
        GrpcScores.Read(await _service.ScoreAsync(
            GrpcScores.Of(items, strengths, options), cancellationToken: cancellation).ConfigureAwait(false), strengths);

    /// <summary>Closes the connection; streams that run are cancelled.</summary>
    public void Dispose() => _channel.Dispose();

    private async Task WriteAsync(string generationId, ConverseRequest message, CancellationToken cancellation)
    {
        ArgumentException.ThrowIfNullOrEmpty(generationId);
        try
        {
            await _running.Find(generationId).WriteAsync(message, cancellation).ConfigureAwait(false);
        }
        catch (InvalidOperationException)
        {
            throw RunningCalls.Ended();
        }
    }

    private static ServiceConfig TryingAgain() => new()
    {
        MethodConfigs =
        {
            new MethodConfig
            {
                Names = { MethodName.Default },
                RetryPolicy = new RetryPolicy
                {
                    MaxAttempts = 4,
                    InitialBackoff = TimeSpan.FromSeconds(1),
                    MaxBackoff = TimeSpan.FromSeconds(10),
                    BackoffMultiplier = 2,
                    RetryableStatusCodes = { StatusCode.Unavailable, StatusCode.ResourceExhausted },
                },
            },
        },
    };
}
