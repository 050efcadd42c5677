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
        if (runs < 2) return 0;
        var seen = new HashSet<(string, string, string, string)>(runs);
        var repeated = 0;
        for (var i = 0; i < runs; i++)
            if (!seen.Add((words[i], words[i + 1], words[i + 2], words[i + 3]))) repeated++;
        return (double)repeated / runs;
    }
}
