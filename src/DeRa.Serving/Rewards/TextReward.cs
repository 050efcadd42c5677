namespace DeRa.Serving.Rewards;

/// <summary>A reward that scores each completion at once, by its text and item alone.</summary>
public abstract class TextReward : IReward
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        var scores = new RewardScore[completions.Count];
        for (var i = 0; i < scores.Length; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            scores[i] = ScoreOf(completions[i]);
        }
        return new(scores);
    }

    /// <summary>The score of one completion.</summary>
    protected abstract RewardScore ScoreOf(Completion completion);
}
