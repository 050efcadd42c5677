namespace DeRa.Serving.Rewards;

/// <summary>
/// How densely warm a story is: (H − S) / (H + S + W / 12), where H and S are the weights of its different happy and sad words and W is
/// the number of its words, at least 48; less costs for repetition and for an end that is missing. The score is between −2.2 and 1.
/// </summary>
/// <remarks>
/// Weights tell what a story is from a list of happy words. Troubles may come, if they pass: a sad word weighs .25 in the first third
/// of the words, .75 in the second, and 1.5 in the last, where a happy one weighs 1.5, and 1 before. Each word counts once together with
/// its inflections, by its greatest weight; negation as in <see cref="SentimentWords.Find"/>. A text that the length limit cut has
/// no ending: its last third weighs as much as its second.
/// <para>Each further happy word raises the ratio, and so does each plain word that is left out, down to 48 words: this is a proxy, which
/// optimisation can exaggerate beyond what a story can carry. It sees no grammar and no spelling.</para>
/// </remarks>
public sealed class StoryReward : TextReward
{
    private const int FewestWords = 48;
    private const double WordsOfOneJoy = 12, RepetitionCost = 2, UnfinishedCost = .2;

    /// <inheritdoc/>
    public override string Name => "story";

    /// <inheritdoc/>
    protected override RewardScore ScoreOf(Completion completion) => RewardScore.Of(Score(completion));

    /// <summary>The score of one completion.</summary>
    internal static double Score(Completion completion)
    {
        var words = TextWords.Of(completion.Text);
        return Warmth(words, completion.Finished)
            - Math.Min(1, RepetitionCost * RepeatedWords.Share(words))
            - (completion.Finished ? 0 : UnfinishedCost);
    }

    private static double Warmth(IReadOnlyList<string> words, bool hasEnding)
    {
        var (happy, sad) = (new Dictionary<int, double>(), new Dictionary<int, double>());
        foreach (var word in SentimentWords.Find(words))
        {
            var third = Math.Min(3 * word.Position / words.Count, hasEnding ? 2 : 1);
            var (weights, weight) = word.IsHappy ? (happy, third == 2 ? 1.5 : 1) : (sad, third switch { 0 => .25, 1 => .75, _ => 1.5 });
            weights[word.Family] = Math.Max(weight, weights.GetValueOrDefault(word.Family));
        }
        var (joys, sorrows) = (happy.Values.Sum(), sad.Values.Sum());
        return (joys - sorrows) / (joys + sorrows + Math.Max(FewestWords, words.Count) / WordsOfOneJoy);
    }
}
