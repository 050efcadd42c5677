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

    /// <summary>The score.</summary>
    /// <exception cref="RewardException">There is none; the message says why.</exception>
    public double Required() => Value ?? throw new RewardException(Error!);
}
