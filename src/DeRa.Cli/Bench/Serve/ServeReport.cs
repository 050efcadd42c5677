namespace DeRa.Cli.Bench.Serve;

/// <summary>What one measurement of a server gave.</summary>
internal sealed record ServeReport
{
    /// <summary>The load.</summary>
    public required ServeOptions Options { get; init; }

    /// <summary>How long it took.</summary>
    public required double Seconds { get; init; }

    /// <summary>Requests that ended, in whatever way.</summary>
    public required int Requests { get; init; }

    /// <summary>Requests that the end of the measurement interrupted, beside <see cref="Requests"/>; their tokens count.</summary>
    public required int Interrupted { get; init; }

    /// <summary>Conversations that had all their turns.</summary>
    public required int CompletedConversations { get; init; }

    /// <summary>Conversations that ended since the next turn did not fit into the model's context.</summary>
    public required int OutgrownConversations { get; init; }

    /// <summary>How many of <see cref="Requests"/> failed, by kind.</summary>
    public required IReadOnlyDictionary<string, int> Failures { get; init; }

    /// <summary>How many of <see cref="Requests"/> failed.</summary>
    public int Failed => Failures.Values.Sum();

    /// <summary>How many of <see cref="Requests"/> did not.</summary>
    public int Completed => Requests - Failed;

    /// <summary>Tokens of replies.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>Tokens of what was sent, of requests that ended.</summary>
    public required long PromptTokens { get; init; }

    /// <summary>Share of prompt tokens that the server had computed before, in [0, 1]; null where it does not say.</summary>
    public required double? CachedShare { get; init; }

    /// <summary>Requests that met <see cref="ServeOptions.Goodput"/>; null where nothing was asked.</summary>
    public required int? GoodRequests { get; init; }

    /// <summary>From a request to the first piece of its reply (TTFT); null where none came.</summary>
    public required Percentiles? FirstToken { get; init; }

    /// <summary>Time per output token after the first, a figure a request (TPOT).</summary>
    public required Percentiles? PerToken { get; init; }

    /// <summary>Between a piece of a reply and the next (ITL); a piece may hold several tokens.</summary>
    public required Percentiles? BetweenTokens { get; init; }

    /// <summary>From a request to the end of its reply.</summary>
    public required Percentiles? WholeRequest { get; init; }

    /// <summary>The durations, with the names that vLLM's benchmark gives them.</summary>
    public IReadOnlyList<(string Name, Percentiles? Seconds)> Durations =>
        [("ttft", FirstToken), ("tpot", PerToken), ("itl", BetweenTokens), ("e2el", WholeRequest)];
}
