namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>Distinct-n (Li et al. 2016): of all runs of n words, the share that are different.</summary>
public static class DistinctWords
{
    /// <summary>Counts.</summary>
    /// <param name="texts">Texts; words are what stands between white space.</param>
    /// <param name="n">Words of a run, at least 1.</param>
    /// <returns>In (0, 1]; NaN where no text has n words.</returns>
    public static double Share(IEnumerable<string> texts, int n)
    {
        var (different, all) = (new HashSet<string>(StringComparer.Ordinal), 0);
        foreach (var text in texts)
        {
            var words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            for (var i = 0; i + n <= words.Length; i++, all++) different.Add(string.Join(' ', words, i, n));
        }
        return all > 0 ? (double)different.Count / all : double.NaN;
    }
}
