namespace DeRa.Serving.Sweeps.Summaries;

/// <summary>
/// Self-BLEU (Zhu et al. 2018, "Texygen"): how well the other texts of a group predict each one, as the mean over texts of BLEU-4
/// (Papineni et al. 2002) against them. A run of words that nothing matches counts as 0.1 matches, as Texygen smooths.
/// </summary>
public sealed class SelfBleu
{
    /// <summary>Others that a text is compared with at most: the next ones of its group, from the last on with the first.</summary>
    public const int MaxReferences = 8;

    private const int LongestRun = 4;
    private const double NoMatch = .1;

    private readonly Dictionary<(int Before, int Word), int> _runs = [];
    private readonly Dictionary<string, int> _words = new(StringComparer.Ordinal);

    private SelfBleu()
    {
    }

    /// <summary>Measures it.</summary>
    /// <param name="groups">Texts, such as those of one prompt; words are what stands between white space, and texts without any do not
    /// count.</param>
    /// <returns>In [0, 1], 1 = all are the same; NaN where no group has two texts.</returns>
    public static double Of(IEnumerable<IEnumerable<string>> groups)
    {
        var (counting, sum, count) = (new SelfBleu(), 0.0, 0);
        foreach (var group in groups)
        {
            var texts = group.Select(counting.Counted).Where(text => text.Words > 0).ToArray();
            if (texts.Length < 2) continue;
            var others = new CountedText[Math.Min(MaxReferences, texts.Length - 1)];
            for (var i = 0; i < texts.Length; i++, count++)
            {
                for (var other = 0; other < others.Length; other++) others[other] = texts[(i + 1 + other) % texts.Length];
                sum += Bleu(texts[i], others);
            }
        }
        return count > 0 ? sum / count : double.NaN;
    }

    private static double Bleu(CountedText text, CountedText[] others)
    {
        var logs = 0.0;
        for (var length = 1; length <= LongestRun; length++)
        {
            var matches = 0;
            foreach (var (run, count) in text.Runs[length - 1]) matches += Matches(run, count, length, others);
            if (length == 1 && matches == 0) return 0;
            logs += Math.Log((matches > 0 ? matches : NoMatch) / Math.Max(1, text.Words - length + 1));
        }
        var nearest = others.Select(other => other.Words).OrderBy(words => Math.Abs(words - text.Words)).ThenBy(words => words).First();
        return Math.Exp(logs / LongestRun + Math.Min(0, 1 - (double)nearest / text.Words));
    }

    /// <returns>How often the one of the others that has a run most often has it; <paramref name="count"/> at most.</returns>
    private static int Matches(int run, int count, int length, CountedText[] others)
    {
        var most = 0;
        for (var other = 0; other < others.Length && most < count; other++)
            if (others[other].Runs[length - 1].TryGetValue(run, out var there)) most = Math.Max(most, Math.Min(there, count));
        return most;
    }

    private CountedText Counted(string text)
    {
        int[] words = [.. text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Select(word => Number(_words, word))];
        var runs = Enumerable.Range(0, LongestRun).Select(_ => new Dictionary<int, int>()).ToArray();
        for (var first = 0; first < words.Length; first++)
        {
            var run = -1;
            for (var length = 1; length <= LongestRun && first + length <= words.Length; length++)
            {
                run = Number(_runs, (run, words[first + length - 1]));
                runs[length - 1][run] = runs[length - 1].GetValueOrDefault(run) + 1;
            }
        }
        return new CountedText(words.Length, runs);
    }

    private static int Number<T>(Dictionary<T, int> numbers, T key) where T : notnull
    {
        if (!numbers.TryGetValue(key, out var number)) numbers.Add(key, number = numbers.Count);
        return number;
    }

    /// <param name="Words">Its words.</param>
    /// <param name="Runs">How often it has each run of 1, 2, 3 and 4 words, by the run's number.</param>
    private sealed record CountedText(int Words, Dictionary<int, int>[] Runs);
}
