namespace DeRa.Lab.Sampling;

/// <summary>A prompt and what was drawn after it.</summary>
/// <param name="Prompt">The prompt's token ids.</param>
/// <param name="Tokens">The completion's token ids, its end token included where one was drawn.</param>
/// <param name="Finished">Whether it ended by its end token rather than by the length limit.</param>
internal sealed record SampledText(int[] Prompt, int[] Tokens, bool Finished);
