namespace DeRa.Lab.Data;

/// <summary>A text to learn from.</summary>
/// <param name="Prompt">What is given; no loss is taken on it. May be empty.</param>
/// <param name="Text">What is learned; not empty, but where only prompts are read.</param>
internal sealed record Document(string Prompt, string Text);
