using Microsoft.Extensions.AI;

namespace DeRa.Client.Alignment;

/// <summary>One message of a conversation as the server takes it.</summary>
/// <param name="Role">Who speaks.</param>
/// <param name="Content">What it says.</param>
/// <param name="Strength">The strength of the answer to it; null = none of its own.</param>
internal readonly record struct Turn(ChatRole Role, string Content, double? Strength)
{
    /// <summary>A conversation, the options' instructions first.</summary>
    /// <exception cref="NotSupportedException">A message holds something that is not text.</exception>
    public static IReadOnlyList<Turn> Of(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        ArgumentNullException.ThrowIfNull(messages);
        IEnumerable<Turn> instructions = options?.Instructions is { Length: > 0 } text ? [new(ChatRole.System, text, null)] : [];
        return [.. instructions, .. messages.Select(Of)];
    }

    private static Turn Of(ChatMessage message)
    {
        if (message.Contents.FirstOrDefault(content => content is not (TextContent or UsageContent)) is { } other)
            throw new NotSupportedException($"A message holds {other.GetType().Name}; the server reads text only.");
        return new Turn(message.Role, message.Text, message.AlignmentStrength);
    }
}
