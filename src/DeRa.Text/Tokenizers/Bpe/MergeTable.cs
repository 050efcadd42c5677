namespace DeRa.Text.Tokenizers.Bpe;

/// <summary>Which neighbouring tokens merge into which, and which merge goes first (the lowest rank).</summary>
internal sealed class MergeTable(int capacity)
{
    private readonly Dictionary<(int Left, int Right), (int Rank, int Merged)> _merges = new(capacity);

    /// <summary>Adds a merge; one that is given twice counts where it comes last, as in Hugging Face's tokenizers.</summary>
    public void Add(int left, int right, int rank, int merged) => _merges[(left, right)] = (rank, merged);

    public bool TryGet(int left, int right, out (int Rank, int Merged) merge) => _merges.TryGetValue((left, right), out merge);
}
