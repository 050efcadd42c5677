namespace DeRa.Text.Tokenizers;

/// <summary>A stretch of the text on its way through pre-tokenization.</summary>
/// <param name="Text">Its characters.</param>
/// <param name="AtStart">Whether it begins the whole text.</param>
/// <param name="Searched">How long the whole text was searched so far; null = nobody counts.</param>
internal readonly record struct TextPiece(string Text, bool AtStart, SearchTime? Searched = null);

/// <summary>How long patterns have searched one text, all its pieces together. Owned by one thread.</summary>
internal sealed class SearchTime
{
    /// <summary>What it took so far.</summary>
    public TimeSpan Spent { get; private set; }

    public void Add(TimeSpan search) => Spent += search;
}
