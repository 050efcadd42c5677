namespace DeRa.Serving.Rewards;

/// <summary>What a reward says of one completion: a finite number, or why there is none.</summary>
public readonly record struct RewardScore
{
    private RewardScore(double? value, string? error) => (Value, Error) = (value, error);

    /// <summary>The score, finite; null where <see cref="Error"/> is set.</summary>
    public double? Value { get; }

    /// <summary>Why there is no score, for who set up the reward; null where <see cref="Value"/> is set.</summary>
    public string? Error { get; }

    /// <summary>A score.</summary>
    /// <param name="value">A finite number.</param>
    public static RewardScore Of(double value) =>
        double.IsFinite(value) ? new(value, null) : Failed($"the score {value} is not a finite number");

    /// <summary>No score.</summary>
    /// <param name="error">Why.</param>
    public static RewardScore Failed(string error) => new(null, error);

    /// <summary>Scores of completions, each by itself.</summary>
    /// <param name="completions">What to score.</param>
    /// <param name="concurrency">How many are under way at once; at least 1.</param>
    /// <param name="score">Scores one; throws only when cancelled.</param>
    /// <param name="cancellation">Stops those under way.</param>
    /// <returns>One for each completion, in order.</returns>
    internal static async ValueTask<IReadOnlyList<RewardScore>> OfEachAsync(
        IReadOnlyList<Completion> completions, int concurrency, Func<Completion, CancellationToken, Task<RewardScore>> score,
        CancellationToken cancellation)
    {
        var scores = new RewardScore[completions.Count];
        await Parallel.ForAsync(0, scores.Length,
            new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation },
            async (i, token) => scores[i] = await score(completions[i], token));
        return scores;
    }

    /// <summary>The score.</summary>
    /// <exception cref="RewardException">There is none; the message says why.</exception>
    public double Required() => Value ?? throw new RewardException(Error!);
}
