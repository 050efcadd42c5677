using System.Text.Json;

namespace DeRa.Serving.Rewards;

/// <summary>One completion to score.</summary>
/// <param name="Prompt">What the model was given.</param>
/// <param name="Text">What it wrote, without the prompt.</param>
/// <param name="Tokens">Its length in tokens; the end token is not counted.</param>
/// <param name="Finished">True where it ended by its end token, false where the length limit ended it.</param>
public sealed record Completion(string Prompt, string Text, int Tokens, bool Finished)
{
    /// <summary>The object that the prompt comes from, such as a line of a data set with its answer; null = there is none.</summary>
    public JsonElement? Item { get; init; }

    /// <summary>The tokens that were generated, for rewards of the pair's own; null = those of the texts.</summary>
    public CompletionTokens? Sequence { get; init; }
}
