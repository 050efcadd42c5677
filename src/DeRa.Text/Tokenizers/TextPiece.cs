namespace DeRa.Text.Tokenizers;

/// <summary>A stretch of the text on its way through pre-tokenization.</summary>
/// <param name="Text">Its characters.</param>
/// <param name="AtStart">Whether it begins the whole text.</param>
/// <param name="Searched">How long the whole text was searched so far; null = nobody counts.</param>
internal readonly record struct TextPiece(string Text, bool AtStart, SearchTime? Searched = null);
