namespace DeRa.Serving.Rewards;

/// <summary>r(x, y) of the training objective: scores completions. Any thread, several calls at once.</summary>
public interface IReward : IDisposable
{
    /// <summary>The specification it was made from, e.g. "length:40-50".</summary>
    string Name { get; }

    /// <summary>Scores completions, in batches of its own choice. What goes wrong with one is that one's score.</summary>
    /// <param name="completions">Any number of them.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>One a completion, in their order: a finite number, or why there is none.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    ValueTask<IReadOnlyList<RewardScore>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellation);

    /// <summary>Releases the reward's resources, once no call is under way; most have none.</summary>
    void IDisposable.Dispose() => GC.SuppressFinalize(this);
}
