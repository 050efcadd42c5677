namespace DeRa.Lab.Rewards;

/// <summary>r(x, y) of the training objective: scores completions. One call at a time.</summary>
internal interface IReward : IDisposable
{
    /// <summary>The specification it was made from, e.g. "length:40-50".</summary>
    string Name { get; }

    /// <summary>Scores completions: one finite number each, in their order.</summary>
    /// <exception cref="RewardException">There are no usable scores.</exception>
    ValueTask<IReadOnlyList<double>> ScoreAsync(IReadOnlyList<Completion> completions, CancellationToken cancellationToken);

    /// <summary>Releases the reward's resources; most have none.</summary>
    void IDisposable.Dispose() => GC.SuppressFinalize(this);
}

/// <summary>One completion to score.</summary>
/// <param name="Prompt">What the model was given.</param>
/// <param name="Text">What it wrote, without the prompt.</param>
/// <param name="Tokens">Its length in tokens; the end token is not counted.</param>
/// <param name="Finished">True where it ended by its end token, false where the length limit ended it.</param>
internal sealed record Completion(string Prompt, string Text, int Tokens, bool Finished);

/// <summary>A reward is unknown, or gave no usable scores. The message is meant for the user.</summary>
internal sealed class RewardException(string message, Exception? inner = null) : Exception(message, inner);
