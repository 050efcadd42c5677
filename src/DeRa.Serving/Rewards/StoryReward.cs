namespace DeRa.Serving.Rewards;

/// <summary>
/// How warm a story is: (H − S) / (H + S + 8), where H and S are the weights of its different happy and sad words, less costs for
/// repetition, for an end that is missing and for shortness. Most stories score between −1 and 1; the lowest possible score is −2.7.
/// </summary>
/// <remarks>
/// Weights tell what a story is from a list of happy words. Troubles may come, if they pass: a sad word weighs .25 in the first third
/// of the words, .75 in the second, and 1.5 in the last, where a happy one weighs 1.5, and 1 before. Each word counts once together with
/// its inflections, by its greatest weight; negation as in <see cref="SentimentWords.Find"/>. A text that the length limit cut has
/// no ending: its last third weighs as much as its second.
/// <para>The ratio rises with every further happy word, however many there are, ever less: this is a proxy, which optimisation can
/// exaggerate beyond what a story can carry. It sees no grammar and no spelling.</para>
/// </remarks>
public sealed class StoryReward : TextReward
{
    private const int ShortestWords = 60;
    private const double Saturation = 8, RepetitionCost = 2, UnfinishedCost = .2, ShortnessCost = .5;

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
            - (completion.Finished ? 0 : UnfinishedCost)
            - ShortnessCost * Math.Max(0, 1 - (double)words.Count / ShortestWords);
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
        return (joys - sorrows) / (joys + sorrows + Saturation);
    }
}
