using System.Text.Json;
using DeRa.Serving.Requests;

namespace DeRa.Serving.Sweeps;

/// <summary>One prompt of a sweep.</summary>
/// <param name="Input">A text or a conversation.</param>
/// <param name="Text">The text; of a conversation its last message.</param>
/// <param name="Place">Where it stands, for errors: file and line.</param>
public sealed record SweepPrompt(PromptInput Input, string Text, string Place)
{
    /// <summary>The object that it comes from, for rewards; null = there is none.</summary>
    public JsonElement? Item { get; init; }

    /// <summary>Which known file the item is of.</summary>
    public PromptForm Form { get; init; }

    /// <summary>What the user says after the first answer, after the second, and so on; only of a chat.</summary>
    public IReadOnlyList<string> FurtherTurns { get; init; } = [];
}
