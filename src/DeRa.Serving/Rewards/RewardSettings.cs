namespace DeRa.Serving.Rewards;

/// <summary>What rewards of every kind are made with.</summary>
public sealed record RewardSettings
{
    /// <summary>
    /// The longest wait for one reply of a program or a server. By default 5 minutes: it may load a model of its own before its first.
    /// </summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Requests to a server or a chat model at once, at least 1; null = 4 to a server, 8 to a chat model.</summary>
    public int? Concurrency { get; init; }

    /// <summary>How long the first retry of a request waits; each next waits twice as long.</summary>
    public TimeSpan FirstRetryDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>A folder that keeps the scores of programs, servers and models by content; null = none does.</summary>
    public string? CacheFolder { get; init; }

    /// <summary>
    /// What a chat model is asked that scores, with {prompt} and {completion} in it; null = <see cref="JudgeReward.DefaultRubric"/>.
    /// </summary>
    public string? Rubric { get; init; }

    /// <summary>The bearer token for such a model's server; null = none.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Receives each line that a program writes to its standard error; any thread; null = nobody does.</summary>
    public Action<string>? ErrorLine { get; init; }

    /// <summary>The pair whose log-ratio may be a reward; null = there is none.</summary>
    public ServedPair? Pair { get; init; }
}
