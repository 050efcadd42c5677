namespace DeRa.Serving.Rewards;

/// <summary>How much a text repeats itself.</summary>
public static class RepeatedWords
{
    private const int Run = 4;

    /// <summary>The share, in [0, 1), of runs of four words that occurred before in the text; 0 for fewer than five words.</summary>
    /// <param name="words">Of <see cref="TextWords"/>.</param>
    public static double Share(IReadOnlyList<string> words)
    {
        var runs = words.Count - Run + 1;
        return runs < 2 ? 0 : (double)Ends(words).Count() / runs;
    }

    /// <summary>The places of the words that end such a run, in their order.</summary>
    /// <param name="words">Of <see cref="TextWords"/>.</param>
    public static IEnumerable<int> Ends(IReadOnlyList<string> words)
    {
        var seen = new HashSet<(string, string, string, string)>();
        for (var end = Run - 1; end < words.Count; end++)
            if (!seen.Add((words[end - 3], words[end - 2], words[end - 1], words[end]))) yield return end;
    }
}
