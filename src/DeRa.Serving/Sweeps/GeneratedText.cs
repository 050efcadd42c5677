using DeRa.Serving.Rewards;

namespace DeRa.Serving.Sweeps;

/// <summary>One completion.</summary>
/// <param name="Text">What was written, without the prompt.</param>
/// <param name="Tokens">The prompt's tokens and those that were generated, an end token included.</param>
/// <param name="IsFinished">Whether it ended by its end token.</param>
public sealed record GeneratedText(string Text, CompletionTokens Tokens, bool IsFinished)
{
    /// <summary>Its length in tokens, without the end token.</summary>
    public int Length => Tokens.Generated.Count - (IsFinished && Tokens.Generated.Count > 0 ? 1 : 0);
}
