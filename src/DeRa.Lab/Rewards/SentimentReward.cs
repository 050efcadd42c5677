using System.Text.RegularExpressions;

namespace DeRa.Lab.Rewards;

/// <summary>
/// How happy a story is: (H − S) / (H + S + 4), in (−1, 1), where H and S are the numbers of different happy and sad words in it.
/// </summary>
/// <remarks>
/// A policy exploits every loophole of a reward. Therefore a word counts once however often it occurs, as do its inflections together
/// ("smile smiled smiling" is one): repetition gains nothing. The ratio keeps length from being a goal in itself, and the 4 keeps a
/// single happy word from scoring high: it scores .2, eight score .67, so that there is always something left to gain, less and less.
/// <para>A happy word right after not, never, cannot or …n't counts as sad; a sad word there counts as nothing, because
/// "not sad" is not yet happy.</para>
/// </remarks>
internal sealed partial class SentimentReward : IReward
{
    public string Name => "sentiment";

    public ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken) =>
        new([.. completions.Select(completion => Score(completion.Text))]);

    /// <summary>The score of one text.</summary>
    internal static double Score(string text)
    {
        var happy = new HashSet<int>();
        var sad = new HashSet<(bool Negated, int Family)>();
        var negated = false;
        foreach (var match in Word().EnumerateMatches(text))
        {
            var word = text.AsSpan(match.Index, match.Length).ToString().ToLowerInvariant().Replace('’', '\'');
            if (SentimentWords.Happy.TryGetValue(word, out var family))
                _ = negated ? sad.Add((true, family)) : happy.Add(family);
            else if (!negated && SentimentWords.Sad.TryGetValue(word, out family))
                sad.Add((false, family));
            negated = word is "not" or "never" or "cannot" || word.EndsWith("n't", StringComparison.Ordinal);
        }
        return (happy.Count - sad.Count) / (happy.Count + sad.Count + 4.0);
    }

    [GeneratedRegex(@"\p{L}+(?:['’]\p{L}+)*")]
    private static partial Regex Word();
}
