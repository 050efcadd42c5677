namespace DeRa.Engine.Text;

/// <summary>Placeholder until the text branch lands.</summary>
public static class PlainChatTemplate
{
    /// <summary>Renders.</summary>
    public static string Render(IReadOnlyList<ChatMessage> messages) => string.Concat(messages.Select(m => m.Content));

    /// <summary>Stops.</summary>
    public static IReadOnlyList<string> StopStrings => [];
}
