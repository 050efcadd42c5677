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
}
