namespace DeRa.Lab.Rewards;

/// <summary>One completion to score.</summary>
/// <param name="Prompt">What the model was given.</param>
/// <param name="Text">What it wrote, without the prompt.</param>
/// <param name="Tokens">Its length in tokens; the end token is not counted.</param>
/// <param name="Finished">True where it ended by its end token, false where the length limit cut it.</param>
public sealed record Completion(string Prompt, string Text, int Tokens, bool Finished);
