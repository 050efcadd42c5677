namespace DeRa.Cli.Chat;

/// <summary>What answers a conversation: a pair in this process, or a server.</summary>
internal interface IResponseSource : IDisposable
{
    /// <summary>Answers a conversation.</summary>
    /// <param name="conversation">Who said what, the user last.</param>
    /// <param name="settings">How.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The answer, piece by piece.</returns>
    /// <exception cref="ChatException">It is refused or has failed; the message says why.</exception>
    IAsyncEnumerable<ResponsePiece> RespondAsync(
        IReadOnlyList<(string Role, string Content)> conversation, ChatSettings settings, CancellationToken cancellation);
}

/// <summary>A piece of an answer.</summary>
/// <param name="Text">Its text; may be empty.</param>
/// <param name="ImplicitReward">Mean over its tokens of the implicit reward, that of the first aligned model; null where it has
/// none.</param>
/// <param name="Tokens">How many tokens it is.</param>
/// <param name="Seed">The effective seed.</param>
internal readonly record struct ResponsePiece(string Text, double? ImplicitReward, int Tokens, long? Seed);

/// <summary>An answer that was refused or has failed.</summary>
internal sealed class ChatException(string message, Exception inner) : Exception(message, inner);
