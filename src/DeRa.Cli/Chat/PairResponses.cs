using System.Runtime.CompilerServices;
using DeRa.Engine.Admission;
using DeRa.Engine.Requests;
using DeRa.Serving;
using DeRa.Serving.Requests;
using DeRa.Serving.Streaming;
using ChatMessage = DeRa.Text.Chat.ChatMessage;

namespace DeRa.Cli.Chat;

/// <summary>Answers by a pair that is loaded in this process.</summary>
/// <param name="pair">The pair; its engine ends with this.</param>
internal sealed class PairResponses(ServedPair pair) : IResponseSource
{
    private readonly GenerationService _generations = new(pair);

    /// <inheritdoc/>
    public async IAsyncEnumerable<ResponsePiece> RespondAsync(IReadOnlyList<(string Role, string Content)> conversation,
        ChatSettings settings, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var prepared = Try(() => _generations.Prepare(new GenerationInput
        {
            Prompts = [new ChatPrompt([.. conversation.Select(turn => new ChatMessage(turn.Role, turn.Content))])],
            AlignmentStrength = settings.Strength,
            Seed = settings.Seed,
            MaxTokens = settings.MaxTokens,
            Temperature = settings.Temperature,
            Measures = 0,
            Stream = true,
        }));
        using var generation = Try(() => _generations.Start(prepared));
        await using var pieces = generation.ReadAsync(cancellation).GetAsyncEnumerator(cancellation);
        while (await TryAsync(pieces.MoveNextAsync().AsTask())) yield return Piece(pieces.Current, prepared.Request);
    }

    /// <inheritdoc/>
    public void Dispose() => pair.Engine.Dispose();

    private static ResponsePiece Piece(ChoiceDelta delta, PreparedRequest request)
    {
        List<double> rewards = [.. delta.Tokens.Select(token => token.Measures).OfType<TokenMeasures>()
            .Select(measures => request.Beta * measures.ImplicitReward(1))];
        return new ResponsePiece(delta.Text, rewards.Count == 0 ? null : rewards.Average(), delta.Tokens.Count, request.Seed);
    }

    private static T Try<T>(Func<T> act)
    {
        try
        {
            return act();
        }
        catch (Exception refused) when (refused is InvalidRequestException or AdmissionException)
        {
            throw new ChatException(refused.Message, refused);
        }
    }

    private static async Task<bool> TryAsync(Task<bool> next)
    {
        try
        {
            return await next;
        }
        catch (GenerationFailedException failed)
        {
            throw new ChatException(failed.Message, failed);
        }
    }
}
