namespace DeRa.Lab.Rewards;

/// <summary>r(x, y) of the training objective: says how good a completion is. One call at a time.</summary>
public interface IReward : IDisposable
{
    /// <summary>The specification it was made from, e.g. "length:40-50".</summary>
    string Name { get; }

    /// <summary>Scores completions: one finite number each, in their order.</summary>
    /// <exception cref="RewardException">No usable scores came back.</exception>
    ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken);

    /// <summary>Ends what the reward holds; most hold nothing.</summary>
    void IDisposable.Dispose() => GC.SuppressFinalize(this);
}
