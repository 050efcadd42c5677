using System.Text;

namespace DeRa.Text.Chat;

/// <summary>
/// Lays out a conversation as plain labelled paragraphs, for any model: it uses no special token, so what a user wrote
/// stays text.
/// </summary>
public static class PlainChatTemplate
{
    private static readonly Dictionary<string, string> Labels = new(StringComparer.Ordinal)
    {
        ["system"] = "System",
        ["developer"] = "System",
        ["user"] = "User",
        ["assistant"] = "Assistant",
        ["tool"] = "Tool",
    };

    /// <summary>The roles that it knows.</summary>
    public static IReadOnlyCollection<string> Roles => Labels.Keys;

    /// <summary>
    /// Stop strings that keep the model from writing the next turns itself; a paragraph break goes with the label.
    /// </summary>
    public static IReadOnlyList<string> StopStrings { get; } =
        [.. Labels.Values.Distinct().SelectMany(label => new[] { $"\n\n{label}:", $"\n{label}:" })];

    /// <summary>Renders the conversation.</summary>
    /// <param name="messages">The turns, oldest first; at least one.</param>
    /// <param name="addGenerationPrompt">Whether it ends where the assistant's response begins.</param>
    /// <param name="continueFinalMessage">Whether it ends with the last message's text.</param>
    /// <returns>For example <c>System: Be brief.\n\nUser: Hello\n\nAssistant:</c>.</returns>
    /// <exception cref="ArgumentException">There is no message, or a role is none of those of <see cref="ChatMessage"/>.</exception>
    public static string Render(
        IReadOnlyList<ChatMessage> messages, bool addGenerationPrompt = true, bool continueFinalMessage = false)
    {
        if (messages.Count == 0) throw new ArgumentException("'messages' is empty; at least one message is needed.");
        var text = new StringBuilder();
        for (var i = 0; i < messages.Count; i++)
            text.Append(LabelOf(messages[i].Role, i)).Append(": ").Append(messages[i].Content).Append("\n\n");
        if (continueFinalMessage) text.Length -= "\n\n".Length;
        else if (addGenerationPrompt) text.Append("Assistant:");
        return text.ToString();
    }

    private static string LabelOf(string role, int index) =>
        Labels.TryGetValue(role, out var label)
            ? label
            : throw new ArgumentException(
                $"messages[{index}].role: '{role}' is none of {string.Join(", ", Labels.Keys)}");
}
