namespace DeRa.Lab.Rewards;

/// <summary>Embedded word lists: a line holds one word with its inflections and derivations, a family.</summary>
internal static class SentimentWords
{
    /// <summary>The family (line number) of each happy word, in lower case.</summary>
    public static IReadOnlyDictionary<string, int> Happy { get; } = Read("happy-words.txt");

    /// <summary>The family (line number) of each sad word, in lower case.</summary>
    public static IReadOnlyDictionary<string, int> Sad { get; } = Read("sad-words.txt");

    private static Dictionary<string, int> Read(string file)
    {
        using var stream = typeof(SentimentWords).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        var families = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return families.SelectMany((words, family) => words.Split(' ').Select(word => (word, family)))
            .ToDictionary(entry => entry.word, entry => entry.family);
    }
}
