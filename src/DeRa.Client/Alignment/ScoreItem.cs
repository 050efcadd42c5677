using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>A text to score.</summary>
public sealed record ScoreItem
{
    private ScoreItem()
    {
    }

    internal string? PromptText { get; private init; }

    internal IReadOnlyList<int>? PromptTokens { get; private init; }

    internal string? ContinuationText { get; private init; }

    internal IReadOnlyList<int>? ContinuationTokens { get; private init; }

    internal IReadOnlyList<Turn>? Conversation { get; private init; }

    /// <summary>
    /// Two texts: the tokens of both together are scored from the first on that those of the prompt alone do not begin with.
    /// </summary>
    /// <param name="prompt">What is given.</param>
    /// <param name="continuation">What is scored after it.</param>
    public static ScoreItem OfTexts(string prompt, string continuation) =>
        new() { PromptText = prompt, ContinuationText = continuation };

    /// <summary>Tokens, taken as they are.</summary>
    /// <param name="prompt">Ids of what is given.</param>
    /// <param name="continuation">Ids of what is scored after it.</param>
    public static ScoreItem OfTokens(IReadOnlyList<int> prompt, IReadOnlyList<int> continuation) =>
        new() { PromptTokens = prompt, ContinuationTokens = continuation };

    /// <summary>A conversation whose last message, the assistant's, is scored.</summary>
    /// <param name="messages">The conversation.</param>
    /// <exception cref="NotSupportedException">A message holds something that is not text.</exception>
    public static ScoreItem OfConversation(IEnumerable<ChatMessage> messages) => new() { Conversation = Turn.Of(messages, null) };
}
