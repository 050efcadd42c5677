namespace DeRa.Lab.Data;

/// <summary>A prompt as text and as tokens.</summary>
internal sealed record EncodedPrompt(string Text, int[] Tokens);
