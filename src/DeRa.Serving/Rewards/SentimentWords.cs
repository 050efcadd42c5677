namespace DeRa.Serving.Rewards;

/// <summary>Happy and sad words, from embedded lists: a line holds one word with its inflections and derivations, a family.</summary>
internal static class SentimentWords
{
    /// <summary>The family (line number) of each happy word, in lower case.</summary>
    public static IReadOnlyDictionary<string, int> Happy { get; } = Read("happy-words.txt");

    /// <summary>The family (line number) of each sad word, in lower case.</summary>
    public static IReadOnlyDictionary<string, int> Sad { get; } = Read("sad-words.txt");

    /// <summary>
    /// The happy and sad words of a text. A happy word right after not, never, cannot or …n't counts as sad, of a family of its own;
    /// a sad word there counts as nothing, because "not sad" is not yet happy.
    /// </summary>
    /// <param name="words">Of <see cref="TextWords"/>.</param>
    public static IEnumerable<SentimentWord> Find(IReadOnlyList<string> words)
    {
        var negated = false;
        for (var position = 0; position < words.Count; position++)
        {
            var word = words[position];
            if (Happy.TryGetValue(word, out var family)) yield return new(position, !negated, family);
            else if (!negated && Sad.TryGetValue(word, out family)) yield return new(position, false, Happy.Count + family);
            negated = word is "not" or "never" or "cannot" || word.EndsWith("n't", StringComparison.Ordinal);
        }
    }

    private static Dictionary<string, int> Read(string file)
    {
        using var stream = typeof(SentimentWords).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        var families = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return families.SelectMany((words, family) => words.Split(' ').Select(word => (word, family)))
            .ToDictionary(entry => entry.word, entry => entry.family);
    }
}

/// <summary>A happy or sad word of a text.</summary>
/// <param name="Position">Its place among the words, from 0.</param>
/// <param name="IsHappy">Whether it is happy rather than sad.</param>
/// <param name="Family">The same for words of one family and one mood.</param>
internal readonly record struct SentimentWord(int Position, bool IsHappy, int Family);
