namespace DeRa.Serving.Rewards;

/// <summary>A weighted sum of rewards. A completion that one of them has no score for has none.</summary>
/// <param name="name">Its specification.</param>
/// <param name="terms">At least one; disposed with it.</param>
internal sealed class SumReward(string name, IReadOnlyList<(double Weight, IReward Reward)> terms) : IReward
{
    public string Name => name;

    public async ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(
        IReadOnlyList<Completion> completions, CancellationToken cancellation)
    {
        var scores = await Task.WhenAll(terms.Select(term => term.Reward.ScoreAsync(completions, cancellation).AsTask()));
        return [.. Enumerable.Range(0, completions.Count).Select(Sum)];

        RewardScore Sum(int completion)
        {
            var sum = 0.0;
            for (var term = 0; term < terms.Count; term++)
            {
                if (scores[term][completion] is not { Value: { } score } failed) return scores[term][completion];
                sum += terms[term].Weight * score;
            }
            return RewardScore.Of(sum);
        }
    }

    public void Dispose()
    {
        foreach (var (_, reward) in terms) reward.Dispose();
    }
}
