using System.ClientModel;
using System.Runtime.CompilerServices;
using DeRa.Client;
using DeRa.Client.Alignment;
using Microsoft.Extensions.AI;

namespace DeRa.Cli.Chat;

/// <summary>Answers by a server.</summary>
/// <param name="url">Its address.</param>
/// <param name="key">The API key; null = none.</param>
/// <param name="model">The model; null = the pair.</param>
internal sealed class ServerResponses(Uri url, string? key, string? model) : IResponseSource
{
    private readonly IChatClient _chat = new DeRaClient(url, key).GetChatClient(model);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ResponsePiece> RespondAsync(IReadOnlyList<(string Role, string Content)> conversation,
        ChatSettings settings, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var options = new ChatOptions
        {
            AlignmentStrength = settings.Strength,
            Seed = settings.Seed,
            MaxOutputTokens = settings.MaxTokens,
            Temperature = (float?)settings.Temperature,
            Measures = new MeasureRequest(),
        };
        var messages = conversation.Select(turn => new ChatMessage(new ChatRole(turn.Role), turn.Content));
        await using var updates = _chat.GetStreamingResponseAsync(messages, options, cancellation).GetAsyncEnumerator(cancellation);
        while (await TryAsync(updates.MoveNextAsync().AsTask())) yield return Piece(updates.Current);
    }

    /// <inheritdoc/>
    public void Dispose() => _chat.Dispose();

    private static ResponsePiece Piece(ChatResponseUpdate update)
    {
        var tokens = update.Measures?.Tokens ?? [];
        return new ResponsePiece(update.Text,
            tokens.Count == 0 ? null : tokens.Average(token => token.Aligned.ImplicitReward), tokens.Count, update.Seed);
    }

    private async Task<bool> TryAsync(Task<bool> next)
    {
        try
        {
            return await next;
        }
        catch (ClientResultException refused)
        {
            throw new ChatException(DeRaError.Of(refused)?.Message ?? $"{url}: {refused.Message}", refused);
        }
        catch (Exception broken) when (broken is IOException or HttpRequestException or AggregateException)
        {
            throw new ChatException($"{url}: {broken.GetBaseException().Message}", broken);
        }
    }
}
