namespace DeRa.Text.Tokenizers;

/// <summary>How tokens become text.</summary>
/// <param name="Render">The bytes of a token's spelling; the second argument says whether it is the first of a text.</param>
/// <param name="LeadingCharacter">A character that is dropped from the start of a text.</param>
/// <param name="LeadingCount">How many of them at most.</param>
internal sealed record TokenRendering(Func<string, bool, byte[]> Render, char LeadingCharacter = ' ', int LeadingCount = 0);
