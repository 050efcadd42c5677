namespace DeRa.Serving.Sweeps.Reports;

/// <summary>Which words of a text another one does not have: those outside of a longest common subsequence.</summary>
internal static class WordDifference
{
    private const int MostWords = 2000;

    /// <summary>Splits a text into runs of words that are new and that are not.</summary>
    /// <param name="before">The other text.</param>
    /// <param name="text">The text; joined, the runs are its words with a space between them.</param>
    public static IReadOnlyList<(string Words, bool IsNew)> Of(string before, string text)
    {
        var (old, words) = (Split(before), Split(text));
        var isNew = old.Length > MostWords || words.Length > MostWords ? new bool[words.Length] : New(old, words);
        var runs = new List<(string Words, bool IsNew)>();
        for (var first = 0; first < words.Length;)
        {
            var end = first + 1;
            while (end < words.Length && isNew[end] == isNew[first]) end++;
            runs.Add((string.Join(' ', words, first, end - first), isNew[first]));
            first = end;
        }
        return runs;
    }

    private static bool[] New(string[] old, string[] words)
    {
        // The length of a longest common subsequence of old[i..] and words[j..].
        var common = new int[old.Length + 1, words.Length + 1];
        for (var i = old.Length - 1; i >= 0; i--)
            for (var j = words.Length - 1; j >= 0; j--)
                common[i, j] = old[i] == words[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        var isNew = new bool[words.Length];
        for (int i = 0, j = 0; j < words.Length;)
        {
            if (i < old.Length && old[i] == words[j]) (i, j) = (i + 1, j + 1);
            else if (i < old.Length && common[i + 1, j] >= common[i, j + 1]) i++;
            else isNew[j++] = true;
        }
        return isNew;
    }

    private static string[] Split(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
}
