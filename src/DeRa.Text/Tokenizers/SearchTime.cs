namespace DeRa.Text.Tokenizers;

/// <summary>How long patterns have searched one text, all its pieces together. Owned by one thread.</summary>
internal sealed class SearchTime
{
    /// <summary>What it took so far.</summary>
    public TimeSpan Spent { get; private set; }

    public void Add(TimeSpan search) => Spent += search;
}
