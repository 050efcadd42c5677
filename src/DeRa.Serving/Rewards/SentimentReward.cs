namespace DeRa.Serving.Rewards;

/// <summary>
/// How happy a story is: (H − S) / (H + S + 4), in (−1, 1), where H and S are the numbers of different happy and sad words in it.
/// </summary>
/// <remarks>
/// A policy exploits every loophole of a reward. Therefore a word counts once however often it occurs, as do its inflections together
/// ("smile smiled smiling" is one): repetition gains nothing. The ratio keeps length from being a goal in itself, and the 4 keeps a
/// single happy word from scoring high: it scores .2, eight score .67, so that there is always something left to gain, less and less.
/// Negation: <see cref="SentimentWords.Find"/>.
/// </remarks>
public sealed class SentimentReward : TextReward
{
    /// <inheritdoc/>
    public override string Name => "sentiment";

    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion) => RewardScore.Of(Score(completion.Text));

    /// <summary>The score of one text.</summary>
    public static double Score(string text)
    {
        var (happy, sad) = (new HashSet<int>(), new HashSet<int>());
        foreach (var word in SentimentWords.Find(TextWords.Of(text))) (word.IsHappy ? happy : sad).Add(word.Family);
        return (happy.Count - sad.Count) / (happy.Count + sad.Count + 4.0);
    }
}
